#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/lab/progress.h"
#include "superd/lab/remote.h"

namespace superd {

/// What the user of a client may choose.
struct TransferManner {
  bool is_quiet = false;
  bool resumes = true;
  /// How long to go on without hearing anything.
  Millis patience{60'000};
  /// How long a transfer may take in all.
  Millis total{3'600'000};
  /// Bytes of the file in a datagram: what Ethernet carries whole, with the headers of IPv6 and an extension.
  std::uint16_t block = 1'400;
  /// Datagrams under way at once.
  std::uint16_t window = 8;
  /// TFTP: how often a transfer that broke off is begun again.
  int tries = 3;
  /// TFTP: seconds after which the server shall send again (RFC 2349); 0: its own choice.
  int server_timeout = 0;
};

struct TransferReport {
  std::uint64_t bytes = 0, resumed = 0, datagrams = 0, resent = 0;
  std::string digest;
};

/// Worth to be tried again later: nobody answered, or what was read changed meanwhile.
[[nodiscard]] bool may_pass(const Error& failure) noexcept;

/// The bounds of a transfer, asked at each step.
class TransferBounds {
 public:
  explicit TransferBounds(const TransferManner& manner) : end_(Clock::now() + manner.total), total_(manner.total) {}
  [[nodiscard]] Result<> check() const;

 private:
  Time end_;
  Millis total_;
};

}  // namespace superd
