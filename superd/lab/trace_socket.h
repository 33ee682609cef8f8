#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/lab/probe_address.h"

namespace superd {

enum class TraceProtocol : std::uint8_t { icmp, udp, tcp };

struct TraceTarget {
  AddressBits address;
  std::uint32_t scope = 0;
  TraceProtocol protocol = TraceProtocol::icmp;
  std::uint16_t port = 0;  ///< of TCP; of UDP the first of many

  [[nodiscard]] bool is_v6() const noexcept { return !address.is_v4(); }
};

/// What came back for a probe.
struct TraceArrival {
  std::uint16_t number = 0;  ///< of the probe
  AddressBits from;
  bool is_answer = false;           ///< of the target itself, no error: `type` and `code` say nothing
  std::uint8_t type = 0, code = 0;  ///< of the ICMP error
  int local_error = 0;              ///< this host's own: an errno
  Time received{};
};

/// Sends probes to a target with a TTL each, and tells what came back for which. One thread.
class TraceSocket {
 public:
  [[nodiscard]] static Result<std::unique_ptr<TraceSocket>> open(const TraceTarget& target);
  TraceSocket() = default;
  TraceSocket(const TraceSocket&) = delete;
  TraceSocket& operator=(const TraceSocket&) = delete;
  virtual ~TraceSocket() = default;

  /// 0, or why it could not be sent: an errno.
  virtual int send(std::uint16_t number, int ttl) = 0;
  /// Takes out what has come, all of it.
  virtual void receive(const std::function<void(const TraceArrival&)>& take) = 0;
  /// What to wait for.
  virtual void add_descriptors(std::vector<pollfd>& descriptors) const = 0;
  /// No answer of this one is wanted any more.
  virtual void forget(std::uint16_t) {}
  /// "ICMP over a ping socket"
  [[nodiscard]] virtual const char* how() const noexcept = 0;
};

[[nodiscard]] Result<std::unique_ptr<TraceSocket>> open_icmp_trace(const TraceTarget& target);
[[nodiscard]] Result<std::unique_ptr<TraceSocket>> open_udp_trace(const TraceTarget& target);
[[nodiscard]] Result<std::unique_ptr<TraceSocket>> open_tcp_trace(const TraceTarget& target);

}  // namespace superd
