#include "superd/services/tftp/grant.h"

#include <algorithm>

namespace superd::tftp {

namespace {

// What a client sends before it is answered waits in the socket's buffer, for which the kernel reckons some 800 bytes
// beside each datagram, and has 208 KiB.
constexpr std::uint64_t receive_room = 160 * 1024, beside_each = 1024;

Grant grant(const Request& request, const FileSettings& settings, std::uint64_t most_blocks) {
  const auto& asked = request.options;
  Grant grant;
  if (asked.block_size) {
    grant.block_size = static_cast<std::size_t>(std::min<std::uint64_t>(*asked.block_size, settings.block_size));
    grant.told.block_size = grant.block_size;
  }
  // Text is converted as it goes, and to send a part of a window again would mean to know where each block began.
  if (asked.window_size && !request.is_text) {
    const auto most = std::min<std::uint64_t>(settings.window_size, most_blocks / (grant.block_size + beside_each));
    grant.window = std::clamp<std::uint64_t>(most, 1, *asked.window_size);
    grant.told.window_size = grant.window;
  }
  if (asked.timeout) {
    grant.timeout = Seconds(*asked.timeout);
    grant.told.timeout = asked.timeout;
  }
  return grant;
}

}  // namespace

Grant grant_reading(const Request& request, const FileSettings& settings, std::uint64_t size) {
  auto result = grant(request, settings, std::uint64_t{1} << 40);
  // How long text becomes is only known when it has been converted, and of an empty file curl (7.88) takes the size for an
  // error. RFC 2349 allows to say nothing.
  if (request.options.size && !request.is_text && size > 0) result.told.size = size;
  return result;
}

Grant grant_writing(const Request& request, const FileSettings& settings) {
  auto result = grant(request, settings, receive_room);
  result.told.size = request.options.size;
  return result;
}

}  // namespace superd::tftp
