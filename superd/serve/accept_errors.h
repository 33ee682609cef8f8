#pragma once

#include <cerrno>
#include <cstdint>

namespace superd {

/// What a failed accept4(2), recvmmsg(2) or the like means for a door.
enum class Trouble : std::uint8_t {
  nothing_there,  ///< nobody is waiting, or another worker was quicker
  interrupted,    ///< by a signal: look around, go on
  gone,           ///< that one client is gone or forbidden (accept(2), "Error handling"): the next
  shortage,       ///< of descriptors, memory or buffers: pause, it passes
};

[[nodiscard]] constexpr Trouble trouble_of(int code) noexcept {
  switch (code) {
    case EAGAIN: return Trouble::nothing_there;
    case EINTR: return Trouble::interrupted;
    case ECONNABORTED:
    case EPROTO:
    case EPERM:  // a firewall's rule
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ECONNREFUSED:  // an ICMP error to an earlier answer, told at the next call
    case ECONNRESET:
    case ETIMEDOUT: return Trouble::gone;
    default: return Trouble::shortage;  // EMFILE, ENFILE, ENOMEM, ENOBUFS; and what we do not know must not spin either
  }
}

}  // namespace superd
