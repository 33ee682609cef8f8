#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/services/files/tree.h"

namespace superd {

/// The listings of directories that were asked for last, because a client fetches one block by block. For a moment only:
/// who asks later sees what has changed. Thread-safe; of one process. Answers do not depend on it.
class FspListings {
 public:
  using Bytes = std::shared_ptr<const std::vector<std::byte>>;

  /// Null: there is none, or it is old.
  Bytes find(const std::string& directory, std::size_t block, Time now);
  void keep(const std::string& directory, std::size_t block, Bytes bytes, Time now);
  /// After something was changed.
  void forget_all();

  /// Reads the directory; blocks as long as the disk takes.
  static std::expected<Bytes, FileFault> make(const Tree& tree, const std::string& directory, std::size_t block);

  static constexpr std::size_t most = 16;              ///< listings
  static constexpr std::size_t most_bytes = 1 << 20;   ///< of all of them
  static constexpr std::size_t most_entries = 20'000;  ///< of a directory; what is more is not listed
  static constexpr Seconds age{2};

 private:
  struct Kept {
    std::string directory;
    std::size_t block;
    Bytes bytes;
    Time since;
  };
  std::mutex mutex_;
  std::list<Kept> kept_;  // the one that was used last comes first
  std::size_t size_ = 0;
};

}  // namespace superd
