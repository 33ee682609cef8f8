#pragma once

#include <atomic>
#include <cstdint>
#include <forward_list>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"
#include "superd/serve/access_rule.h"
#include "superd/serve/hours.h"
#include "superd/serve/rate.h"

namespace superd {

/// What a listener does when its service is at its level.
enum class WhenFull : std::uint8_t {
  wait,    ///< leaves new clients in the backlog until a seat is free: nobody is refused, some wait
  refuse,  ///< takes them and resets the connection, so that a client can go elsewhere at once
};

/// What becomes of a connection over its rate.
enum class OverRate : std::uint8_t {
  delay,   ///< it waits, unserved, until the rate lets it in; too many, or for too long: refused
  refuse,  ///< at once
};

/// What becomes of the connection of a client that is refused.
enum class Refused : std::uint8_t {
  reset,   ///< a reset (RST): the client knows at once
  close,   ///< an orderly end
  tarpit,  ///< it is kept, unanswered, for a while, so that it costs the client time
};

/// The bounds of one service. All are always in force: each can be raised, none switched off. Every bound that is hit
/// is counted (serve/counters.h). Datagrams over a bound stay in the socket's buffer or are dropped and counted.
struct Limits {
  /// Conversations at once. 64 needs no tuning of descriptors or threads under any design, and is far more than a
  /// small service has.
  int level = 64;

  /// Conversations at once of one client: an IPv4 address, an IPv6 /64, or the user of a unix socket. A quarter of the
  /// level, so that four hostile clients are needed to fill it.
  int per_client = 16;

  /// Conversations at once of one /24 (IPv6: /56). As many as there can be: who serves one network alone must not be
  /// surprised.
  int per_prefix = 1'000'000;

  WhenFull when_full = WhenFull::wait;

  /// New connections of one client, in time. Far more than a person or a program makes that is not out of order; who
  /// stands before many others, as a balancer, belongs into `trusted`.
  Rate client_rate{1'000, Seconds(1), 1'000};

  /// The same of one /24 (IPv6: /56): four such clients side by side.
  Rate prefix_rate{4'000, Seconds(1), 4'000};

  OverRate over_rate = OverRate::delay;

  /// The machine's load of the last minute from which on nobody new is let in. No machine has this one: who wants the
  /// bound knows his own.
  double max_load = no_load_limit;
  static constexpr double no_load_limit = 10'000;

  /// Who may come; nobody else, unless it is empty. Who may not.
  AccessRules allow, deny;

  /// When clients may come; empty: always.
  std::vector<Hours> hours;

  Refused refused = Refused::reset;

  /// How long the tarpit keeps a client. Half a minute is long for who tries ports and passwords, and short for a
  /// descriptor.
  Millis tarpit_time{30'000};

  /// What clients are sent first that are let in, and what those are sent that are refused: a text, or "@/its/file".
  std::string banner, banner_refused;

  /// How long a client may be silent, or take nothing, while we wait for it. A minute is what interactive clients and
  /// middleboxes are used to.
  Millis idle{60'000};

  /// How long a conversation may last at all, however busy: the client does not decide that (slide 37).
  Millis total{3'600'000};

  /// How long, after our last byte, we read what a client still sends, so that the close does not turn into a reset
  /// that destroys the answer on its way (RFC 1122, 4.2.2.13).
  Millis linger{2'000};

  /// Bytes a second that a client must at least send or take while we wait for it, on average: what it is slower is
  /// taken off its `idle`, and the bytes it moves give it back. One byte a second lets a person type and ends a client
  /// that trickles a byte every ten seconds after 66 seconds.
  std::uint64_t min_rate = 1;

  /// Answers a second, and at once, to datagrams from one /24 or /56. A few hundred are plenty for a person and too
  /// few for a weapon.
  std::uint64_t answer_rate = 200;

  /// How many times longer than the request an answer may be (and 64 bytes more); 3 is what QUIC allows an
  /// unverified source (RFC 9000, 8.1).
  std::uint64_t amplification = 3;

  /// Sources that the rates and `amplification` do not hold for: the loopback, which nobody outside can forge. Users of
  /// unix sockets count as it does.
  std::vector<Network> trusted = loopback();

  [[nodiscard]] bool trusts(const Endpoint&) const noexcept;
  static std::vector<Network> loopback();
  friend bool operator==(const Limits&, const Limits&) = default;
};

/// The limits of a service that is being served, which may change meanwhile. Any thread reads; one at a time changes.
/// Whoever reads may keep what it has read: all that were in force are kept, a few hundred bytes for each change.
class LimitsInForce {
 public:
  explicit LimitsInForce(const Limits& limits) { change(limits); }
  void change(const Limits& limits) { now_.store(&all_.emplace_front(limits), std::memory_order_release); }

  const Limits& operator*() const noexcept { return *now_.load(std::memory_order_acquire); }
  const Limits* operator->() const noexcept { return now_.load(std::memory_order_acquire); }

 private:
  std::forward_list<Limits> all_;
  std::atomic<const Limits*> now_{nullptr};
};

}  // namespace superd
