#pragma once

#include <atomic>
#include <cstdint>

namespace superd {

/// The right to take clients in, or to turn a loop. One thread has it at a time, and while that thread is in a
/// conversation, the right can be taken from it: it then finds at the conversation's end that it owns nothing else.
///
/// A number that only grows: odd while the holder is in a conversation (a turn), even while it is not. What the holder
/// did before begin() is seen by whoever takes the turn. Costs a store and a compare-and-swap for each conversation.
class Baton {
 public:
  using Turn = std::uint64_t;

  [[nodiscard]] static constexpr bool is_running(Turn turn) noexcept { return turn & 1; }

  /// The holder, outside a conversation: begins one. From here on the baton can be taken.
  Turn begin() noexcept {
    const Turn turn = word_.load(std::memory_order_relaxed) + 1;
    word_.store(turn, std::memory_order_release);
    return turn;
  }

  /// Who began the turn: ends it. False: the baton was taken meanwhile and belongs to another thread.
  [[nodiscard]] bool end(Turn turn) noexcept { return advance(turn); }

  /// Any thread: what the holder is doing.
  [[nodiscard]] Turn look() const noexcept { return word_.load(std::memory_order_acquire); }

  /// Any thread: takes the baton from the holder, if it still is in this turn. True: it is the caller's.
  [[nodiscard]] bool take(Turn turn) noexcept { return advance(turn); }

 private:
  bool advance(Turn turn) noexcept {
    return word_.compare_exchange_strong(turn, turn + 1, std::memory_order_acq_rel, std::memory_order_acquire);
  }

  // Alone on its line: the watcher reads it, and must not slow down what the holder does beside it.
  alignas(64) std::atomic<Turn> word_{0};
};

}  // namespace superd
