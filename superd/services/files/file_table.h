#pragma once

#include <memory>
#include <string>

#include "superd/async/task.h"
#include "superd/base/clock.h"
#include "superd/serve/counters.h"
#include "superd/serve/datagram.h"
#include "superd/services/files/file_settings.h"
#include "superd/services/files/read_ahead.h"
#include "superd/services/files/tree.h"

namespace superd {

/// An open file. Shared by all who read it; closed when the last of them and the table have let go.
struct OpenFile {
  Descriptor file;
  mutable ReadAhead ahead;  ///< of the one client that an entry of the chapter's table is for; else empty
};

/// A file that may be read now.
struct FileUse {
  std::shared_ptr<const OpenFile> file;
  FileFacts facts;  ///< as of the look that this use began with
};
using FileFound = std::expected<FileUse, FileFault>;

/// Who wants to use a file, and where that is counted.
struct FileReader {
  const Endpoint& client;
  Time now;
  Counters& counters;
};

/// The chapter's table of open files (slides 7 to 9), in one of its kinds. Thread-safe. Of one process: what is forked
/// from here begins with what there was.
///
/// Right answers never depend on it: whatever it holds, or has lost, use() hands out what the name stands for. But for
/// the chapter's own, which believes its entries as long as it has them.
class FileTable {
 public:
  virtual ~FileTable() = default;

  /// The file of that name, opened where it is not yet. May block as the tree does; under Look::in_memory it looks at what is
  /// in memory, and says would_block where that is not enough.
  virtual FileFound use(const Tree& tree, const std::string& clean, const FileReader& reader, Tree::Look where) = 0;

  /// Closes what nobody has used for long. When the next one is due, or `never`.
  virtual Time close_idle(Time now, Counters& counters) noexcept = 0;
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;

  // What a fault could do to it, for tests.
  virtual void lose_all() noexcept = 0;
  /// Each name gets the entry of another one.
  virtual void confuse() = 0;
};

[[nodiscard]] std::unique_ptr<FileTable> make_file_table(const FileSettings& settings);

/// A tree with its table: what services that serve files have in common.
class ServedFiles {
 public:
  /// An error when the tree cannot be opened.
  static Result<std::shared_ptr<ServedFiles>> open(const FileSettings& settings);
  ServedFiles(Tree tree, const FileSettings& settings) : tree_(std::move(tree)), table_(make_file_table(settings)) {}

  /// Opens where it holds up nobody: at once when the names are in the kernel's memory, else in the background. To be
  /// awaited; `clean` as clean_name() has made it, and to be kept until then. What is refused is counted.
  task<FileFound> use(Datagram& request, const std::string& clean);

  /// pread(2), or from the chapter's buffer. As Datagram::read_file().
  task<std::expected<std::size_t, int>> read(Datagram& request, const FileUse& use, std::uint64_t offset,
                                             std::span<std::byte> into);

  [[nodiscard]] const Tree& tree() const noexcept { return tree_; }
  [[nodiscard]] FileTable& table() noexcept { return *table_; }

 private:
  Tree tree_;
  std::unique_ptr<FileTable> table_;
};

// The kinds, for make_file_table().
std::unique_ptr<FileTable> make_no_table(const FileSettings&);
std::unique_ptr<FileTable> make_chapter_table(const FileSettings&);
std::unique_ptr<FileTable> make_safe_table(const FileSettings&);

}  // namespace superd
