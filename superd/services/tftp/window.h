#pragma once

#include <cstdint>

namespace superd::tftp {

/// Which blocks of a file are under way (RFC 7440; a window of one is RFC 1350). Blocks count from 1 without end; on the
/// wire they have 16 bits, after 65535 comes 0. Pure.
class Window {
 public:
  explicit Window(std::uint64_t size) noexcept : size_(size) {}

  enum class Answer : std::uint8_t {
    progress,  ///< new blocks have arrived there: go on with next()
    gap,       ///< what was sent has to be sent again, from next() on
    ignored,   ///< it tells nothing new: to send because of it would never end (RFC 1123, 4.2.3.1)
    finished,  ///< all has arrived
  };

  /// The next block to be sent, while may_send().
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  [[nodiscard]] bool may_send() const noexcept { return next_ < first_ + size_ && (last_ == 0 || next_ <= last_); }
  /// How many from next() on may be sent, as far as is known.
  [[nodiscard]] std::uint64_t room() const noexcept { return first_ + size_ - next_; }
  void note_sent(std::uint64_t blocks) noexcept { next_ += blocks; }
  /// The file ends with this block.
  void note_last(std::uint64_t block) noexcept { last_ = block; }

  /// Block `number` and all before it are there, says the client.
  Answer acknowledge(std::uint16_t number) noexcept {
    // From the last block that was acknowledged before: 0 is that one again.
    const std::uint16_t fresh = static_cast<std::uint16_t>(number - static_cast<std::uint16_t>(first_ - 1));
    if (fresh > next_ - first_) return Answer::ignored;
    if (fresh == 0) {
      // The first of a window was lost; but the second time it may be an echo of the first.
      if (size_ == 1 || was_repeated_ || next_ == first_) return Answer::ignored;
      was_repeated_ = true;
      next_ = first_;
      return Answer::gap;
    }
    first_ += fresh;
    was_repeated_ = false;
    if (last_ != 0 && first_ > last_) return Answer::finished;
    const bool is_gap = first_ < next_;
    next_ = first_;
    return is_gap ? Answer::gap : Answer::progress;
  }

  /// Nothing was heard: all that was sent is sent again.
  void go_back() noexcept { next_ = first_; }

 private:
  const std::uint64_t size_;
  std::uint64_t first_ = 1;  // not acknowledged
  std::uint64_t next_ = 1;
  std::uint64_t last_ = 0;  // 0: not known yet
  bool was_repeated_ = false;
};

}  // namespace superd::tftp
