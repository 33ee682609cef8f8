#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/shared_memory.h"
#include "superd/net/endpoint.h"
#include "superd/serve/limits.h"
#include "superd/serve/rate_table.h"

namespace superd {

/// The UDP ports that superd answers on, for all its services in all its processes. Zeroed memory is of none. One thread
/// changes them, any may look.
class OwnPorts {
 public:
  /// Of none, in memory that processes forked from here see as it is at any time.
  [[nodiscard]] static std::shared_ptr<OwnPorts> shared();

  /// These from now on, and no others. Who looks meanwhile never misses one that stays.
  void change(std::span<const std::uint16_t> ports) noexcept;
  void add(std::uint16_t port) noexcept { words_[port / 64].fetch_or(bit(port), std::memory_order_relaxed); }
  void remove(std::uint16_t port) noexcept { words_[port / 64].fetch_and(~bit(port), std::memory_order_relaxed); }
  [[nodiscard]] bool has(std::uint16_t port) const noexcept {
    return words_[port / 64].load(std::memory_order_relaxed) & bit(port);
  }

 private:
  static std::uint64_t bit(std::uint16_t port) noexcept { return std::uint64_t{1} << port % 64; }
  std::array<std::atomic<std::uint64_t>, 1024> words_{};
};

/// Decides which datagrams are answered, so that answers cannot be turned against others: a source address is whatever
/// the sender wrote. Thread-safe.
class AnswerGuard {
 public:
  /// With rates and limits of its own.
  AnswerGuard(const Limits& limits, std::shared_ptr<const OwnPorts> own_ports);
  /// `rates` is shared memory; it and `limits` must outlive the guard.
  AnswerGuard(RateTable& rates, const Limits& limits, std::shared_ptr<const OwnPorts> own_ports);

  /// Other limits from now on, which must live as long as the guard. One thread at a time.
  void change(const Limits& limits) noexcept { limits_.store(&limits, std::memory_order_release); }

  enum class Verdict : std::uint8_t { answer, bad_source, over_rate };

  /// May a datagram `from` there, sent `to` here (unspecified where that is the listener's one address), be answered?
  /// Takes one answer from the source's rate when it may, unless the source is known to be there.
  Verdict judge(const Endpoint& from, const Endpoint& to, Time now, bool is_known) noexcept;
  Verdict judge(const Endpoint& from, const Endpoint& to, Time now) noexcept {
    return judge(from, to, now, trusts(from));
  }

  /// The same for a packet of a raw listener, which has no port to look at. serve/packets.h tells who may be answered at all.
  Verdict judge_packet(const Endpoint& from, Time now, bool is_known) noexcept;

  /// It lies in one of the networks that the configuration trusts.
  [[nodiscard]] bool trusts(const Endpoint& from) const noexcept;

  /// The longest answer to a request of this size.
  [[nodiscard]] std::size_t room(const Endpoint& from, std::size_t request) const noexcept;

  /// The longest payload that UDP over IPv4 can carry.
  static constexpr std::size_t longest = 65507;

 private:
  [[nodiscard]] bool is_bad_source(const Endpoint& from, const Endpoint& to) const noexcept;
  [[nodiscard]] const Limits& limits() const noexcept { return *limits_.load(std::memory_order_acquire); }

  SharedMemory own_;  // empty where the rates lie in somebody else's
  std::unique_ptr<const Limits> own_limits_;
  RateTable& rates_;
  std::atomic<const Limits*> limits_;
  const std::shared_ptr<const OwnPorts> own_ports_;
};

}  // namespace superd
