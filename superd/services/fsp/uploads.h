#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "superd/net/endpoint.h"
#include "superd/services/files/tree.h"

namespace superd {

/// Files that clients write block by block, each beside the tree's own in one that no client sees, until it is installed:
/// then it appears at once, with all its bytes on the disk. A client is known by address and port, and its file is found
/// by them: nothing of it is remembered here, so an upload goes on in whichever process its next block comes to, and
/// after a restart.
///
/// Any thread. All functions block as long as the disk takes.
class FspUploads {
 public:
  struct Manner {
    bool overwrite = false;  ///< files that are there may be replaced
    std::uint64_t most = 0;  ///< bytes of one
  };
  FspUploads(Tree tree, Manner manner) : tree_(std::move(tree)), manner_(manner) {}

  /// The first block is sent alone, and begins a file anew, unless it is only once more what is there. Any other goes
  /// into a file that was begun: `not_found` without one.
  std::expected<void, FileFault> write(const Endpoint& client, std::uint64_t offset, std::span<const std::byte> bytes);
  /// `modified`: seconds since 1970; 0: now.
  std::expected<void, FileFault> install(const Endpoint& client, const std::string& clean, std::int64_t modified);
  std::expected<void, FileFault> cancel(const Endpoint& client);

  [[nodiscard]] const Tree& tree() const noexcept { return tree_; }
  [[nodiscard]] bool may_overwrite() const noexcept { return manner_.overwrite; }

  /// Uploads under way at once, in all and of one address. One that nobody has gone on with for so long is removed when
  /// there is no place for another.
  static constexpr std::size_t most_at_once = 64, most_of_one = 8;
  static constexpr std::int64_t stale_seconds = 600;

 private:
  enum class Use { begin, go_on, install };
  [[nodiscard]] std::expected<Descriptor, FileFault> open(int directory, const Endpoint& client, Use use) const;
  /// Locked as well, for as long as it is open: a block that comes once more is not written into a file that is being
  /// installed or has been, and so has another owner by now (flock(2)).
  [[nodiscard]] std::expected<Descriptor, FileFault> hold(int directory, const Endpoint& client, Use use) const;
  [[nodiscard]] std::expected<void, FileFault> make_place(int directory, const std::string& name) const;
  [[nodiscard]] std::expected<Descriptor, FileFault> root() const;

  Tree tree_;
  const Manner manner_;
};

}  // namespace superd
