#include "superd/lab/transfer.h"

#include <cerrno>

#include "superd/base/units.h"

namespace superd {

bool may_pass(const Error& failure) noexcept {
  switch (failure.code) {
    case EAGAIN:
    case EINTR:
    case ESTALE:
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL: return true;
    default: return false;
  }
}

Result<> TransferBounds::check() const {
  if (Clock::now() < end_) return {};
  return std::unexpected(Error{"not done within " + format_duration(total_), ETIMEDOUT});
}

}  // namespace superd
