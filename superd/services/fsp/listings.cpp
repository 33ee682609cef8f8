#include "superd/services/fsp/listings.h"

#include <algorithm>
#include <limits>

#include "superd/services/fsp/directory.h"
#include "superd/services/fsp/facts.h"

namespace superd {

FspListings::Bytes FspListings::find(const std::string& directory, std::size_t block, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(kept_, [&](const Kept& one) { return one.block == block && one.directory == directory; });
  if (found == kept_.end()) return nullptr;
  if (now - found->since >= age) {
    size_ -= found->bytes->size();
    kept_.erase(found);
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found);
  return found->bytes;
}

void FspListings::keep(const std::string& directory, std::size_t block, Bytes bytes, Time now) {
  if (bytes->size() > most_bytes) return;
  const std::lock_guard lock(mutex_);
  size_ += bytes->size();
  kept_.push_front({directory, block, std::move(bytes), now});
  while (kept_.size() > most || size_ > most_bytes) {
    size_ -= kept_.back().bytes->size();
    kept_.pop_back();
  }
}

void FspListings::forget_all() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
  size_ = 0;
}

std::expected<FspListings::Bytes, FileFault> FspListings::make(const Tree& tree, const std::string& directory,
                                                               std::size_t block) {
  const auto found = tree.list(directory, most_entries);
  if (!found) return std::unexpected(found.error());
  std::vector<FspEntry> entries;
  entries.reserve(found->size());
  for (const auto& [name, facts] : *found) {
    // What stands behind a line feed would be taken for a password when it is asked for.
    if (!name.contains('\n')) entries.push_back({fsp_stat_of(facts), name});
  }
  return std::make_shared<const std::vector<std::byte>>(fsp_listing(entries, block));
}

}  // namespace superd
