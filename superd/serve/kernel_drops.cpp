#include "superd/serve/kernel_drops.h"

#include <sys/socket.h>

#include <algorithm>

namespace superd {

KernelDrops::Seen& KernelDrops::of(int socket) noexcept {
  // Of the socket and not of its descriptor, which is another number in another process (from Linux 4.12 on).
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size);
  const auto known = std::ranges::find(slots_, cookie, &Slot::cookie);
  if (known != slots_.end()) return known->seen;
  auto& slot = slots_[next_++ % slots_.size()];
  slot.cookie = cookie;
  slot.seen = 0;
  return slot.seen;
}

}  // namespace superd
