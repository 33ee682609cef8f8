#pragma once

#include <algorithm>

#include "superd/base/clock.h"

namespace superd::tftp {

/// When to send again: the round trip is measured, and doubled at each silence (RFC 6298, with its constants). A client
/// that named a timeout (RFC 2349) gets that one. Pure.
class Pace {
 public:
  /// Of the doubled ones; and how often in a row it is sent again. All together a client is waited for some 40 s, or six
  /// of its own timeouts.
  static constexpr Millis longest{10'000};
  static constexpr int most_silences = 6;

  explicit Pace(Millis fixed = {}) noexcept : fixed_(fixed) {}

  /// How long to wait for an answer to what was just sent.
  [[nodiscard]] Clock::duration patience() const noexcept { return fixed_ > Millis{0} ? fixed_ : wait_; }

  /// An answer came this long after it was sent, and it was sent once (Karn's rule).
  void note_round_trip(Clock::duration took) noexcept {
    if (smooth_ == Clock::duration{}) {
      smooth_ = took;
      spread_ = took / 2;
    } else {
      const auto off = took > smooth_ ? took - smooth_ : smooth_ - took;
      spread_ = (3 * spread_ + off) / 4;
      smooth_ = (7 * smooth_ + took) / 8;
    }
    reset();
  }
  /// Something new came, though nothing that can be measured.
  void reset() noexcept {
    silences_ = 0;
    wait_ = smooth_ == Clock::duration{} ? Clock::duration(first)
                                         : std::clamp<Clock::duration>(smooth_ + 4 * spread_, shortest, longest);
  }

  /// Nothing came. False: it is time to give up.
  bool note_silence() noexcept {
    wait_ = std::min<Clock::duration>(wait_ * 2, longest);
    return ++silences_ < most_silences;
  }
  [[nodiscard]] int silences() const noexcept { return silences_; }

 private:
  // As TCP: a client that writes to flash pauses for longer than a network does.
  static constexpr Millis first{1'000}, shortest{200};

  Millis fixed_;
  Clock::duration smooth_{}, spread_{}, wait_{first};
  int silences_ = 0;
};

}  // namespace superd::tftp
