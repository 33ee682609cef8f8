#include "superd/services/fsp/directory.h"

#include <algorithm>
#include <cstring>

namespace superd {

namespace {

constexpr std::size_t padded(std::size_t size) noexcept { return (size + 3) / 4 * 4; }
constexpr std::size_t size_of(std::string_view name) noexcept { return padded(FspStat::bytes + name.size() + 1); }

class Listing {
 public:
  explicit Listing(std::size_t block) : block_(block) {}

  void add(const FspStat& stat, std::string_view name) {
    const auto size = size_of(name);
    if (size > left()) fill_up();
    const auto at = bytes_.size();
    bytes_.resize(at + size);
    write_fsp_stat(stat, &bytes_[at]);
    std::memcpy(&bytes_[at + FspStat::bytes], name.data(), name.size());
  }

  void end() {
    constexpr auto size = padded(FspStat::bytes);
    if (size > left()) fill_up();
    bytes_.resize(bytes_.size() + size);
  }

  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  [[nodiscard]] std::size_t left() const noexcept { return block_ - bytes_.size() % block_; }

  void fill_up() {
    const auto at = bytes_.size(), rest = left();
    bytes_.resize(at + rest);
    if (rest >= FspStat::bytes) write_fsp_stat({.type = FspType::skip}, &bytes_[at]);
  }

  std::size_t block_;
  std::vector<std::byte> bytes_;
};

}  // namespace

std::vector<std::byte> fsp_listing(std::span<const FspEntry> entries, std::size_t block) {
  Listing listing(block);
  // What no client could tell apart from the next entry is left out.
  for (const auto& entry : entries)
    if (entry.name.size() <= 255 && !entry.name.contains('\0')) listing.add(entry.stat, entry.name);
  listing.end();
  return listing.take();
}

bool parse_fsp_block(std::span<const std::byte> block, std::vector<FspEntry>& into) {
  while (const auto stat = parse_fsp_stat(block)) {
    if (stat->type == FspType::skip) return true;
    if (stat->type == FspType::end) return false;
    const auto names = block.subspan(FspStat::bytes);
    const auto end = std::ranges::find(names, std::byte{0});
    if (end == names.end()) return false;
    const std::string_view name(reinterpret_cast<const char*>(names.data()),
                                static_cast<std::size_t>(end - names.begin()));
    // A symbolic link may be told as "name\nwhere it leads".
    into.push_back({*stat, std::string(name.substr(0, name.find('\n')))});
    block = block.subspan(std::min(block.size(), size_of(name)));
  }
  return true;
}

}  // namespace superd
