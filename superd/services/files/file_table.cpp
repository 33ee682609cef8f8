#include "superd/services/files/file_table.h"

#include <cstring>

namespace superd {

namespace {

/// Opens for every use.
class NoTable final : public FileTable {
 public:
  FileFound use(const Tree& tree, const std::string& clean, const FileReader& reader, Tree::Look where) override {
    auto opened = tree.open_file(clean, where);
    if (!opened) return std::unexpected(opened.error());
    reader.counters.file_misses.add();
    return FileUse{std::make_shared<OpenFile>(std::move(opened->file)), opened->facts};
  }
  Time close_idle(Time, Counters&) noexcept override { return never; }
  std::size_t size() const noexcept override { return 0; }
  void lose_all() noexcept override {}
  void confuse() override {}
};

}  // namespace

std::unique_ptr<FileTable> make_no_table(const FileSettings&) { return std::make_unique<NoTable>(); }

std::unique_ptr<FileTable> make_file_table(const FileSettings& settings) {
  switch (settings.table) {
    case TableKind::off: return make_no_table(settings);
    case TableKind::chapter: return make_chapter_table(settings);
    case TableKind::safe: break;
  }
  return make_safe_table(settings);
}

Result<std::shared_ptr<ServedFiles>> ServedFiles::open(const FileSettings& settings) {
  auto tree = Tree::open(settings.tree, {.public_only = settings.public_only});
  if (!tree) return std::unexpected(tree.error());
  return std::make_shared<ServedFiles>(std::move(*tree), settings);
}

task<FileFound> ServedFiles::use(Datagram& request, const std::string& clean) {
  const FileReader reader{request.from(), Clock::now(), request.hosted().counters};
  (void)table_->close_idle(reader.now, reader.counters);
  FileFound found = table_->use(tree_, clean, reader, Tree::Look::in_memory);
  if (!found && found.error() == FileFault::would_block) {
    const auto open = [&] { found = table_->use(tree_, clean, reader, Tree::Look::anywhere); };
    const bool goes_on = co_await request.run_in_background(open);
    if (!goes_on) co_return std::unexpected(FileFault::cut);
  }
  if (!found) reader.counters.file_refusals.add();
  co_return found;
}

task<std::expected<std::size_t, int>> ServedFiles::read(Datagram& request, const FileUse& use, std::uint64_t offset,
                                                        std::span<std::byte> into) {
  const int file = use.file->file.fd();
  auto& ahead = use.file->ahead;
  if (!ahead.is_enabled() || into.size() > ReadAhead::size) {
    const auto got = co_await request.read_file(file, offset, into);
    co_return got;
  }
  if (const auto copied = ahead.copy(offset, into)) co_return *copied;
  auto piece = ahead.take();
  if (!piece) {
    const auto got = co_await request.read_file(file, offset, into);
    co_return got;
  }
  const std::span<std::byte> room(piece->bytes);
  const auto filled = co_await request.read_file(file, offset, room);
  if (!filled) {
    piece->filled = 0;
    ahead.put(std::move(piece));
    co_return filled;
  }
  piece->offset = offset;
  piece->filled = *filled;
  piece->is_end = *filled < ReadAhead::size;
  const auto taken = std::min(*filled, into.size());
  std::memcpy(into.data(), piece->bytes, taken);
  ahead.put(std::move(piece));
  co_return taken;
}

}  // namespace superd
