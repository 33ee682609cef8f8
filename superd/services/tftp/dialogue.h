#pragma once

#include "superd/serve/exchange.h"
#include "superd/services/files/tree.h"
#include "superd/services/tftp/grant.h"
#include "superd/services/tftp/pace.h"
#include "superd/services/tftp/packet.h"
#include "superd/services/tftp/transfers.h"

namespace superd::tftp {

/// What reading and writing have in common: whom one talks to, when to send again, and when to give up. What came is
/// either the peer's next packet, or has been dealt with here.
///
/// Until a client has answered, its address may be forged, and what it is sent hits somebody else: one packet, and the
/// same once more.
class Dialogue {
 public:
  Dialogue(Datagram& request, Transfers& transfers, const Grant& grant) noexcept
      : exchange(request), request_(request), transfers_(transfers), pace_(grant.timeout) {}

  enum class Next : std::uint8_t {
    packet,  ///< see `packet`
    again,   ///< there was silence: send again
    wait,    ///< nothing for us: wait on, until the same deadline
    over,    ///< the transfer is, and all is said and counted
  };
  /// What an arrival means.
  Next look_at(const std::optional<Exchange::Received>& received) noexcept;

  /// What the peer has to answer was sent now, for the first time or again.
  void note_sent(bool is_first) noexcept;
  /// Its answer came, with something new.
  void note_progress() noexcept;
  [[nodiscard]] Time until() const noexcept { return until_; }
  /// For who waits without having asked for an answer.
  void wait_until(Time until) noexcept { until_ = until; }

  /// Says why, and that it is over.
  void fail(Code code, std::string_view text) noexcept;
  void fail(FileFault fault) noexcept;

  Exchange exchange;
  Packet packet{};  ///< the peer's last

 private:
  bool goes_on_after_silence() noexcept;
  [[nodiscard]] Counters& counters() const noexcept { return request_.hosted().counters; }

  Datagram& request_;
  Transfers& transfers_;
  Pace pace_;
  Time sent_{}, until_{}, renewed_{};
  bool was_sent_once_ = false, is_verified_ = false;
  int strangers_ = 0;
};

/// How a fault of a file is told.
[[nodiscard]] Refusal refusal_of(FileFault fault) noexcept;

}  // namespace superd::tftp
