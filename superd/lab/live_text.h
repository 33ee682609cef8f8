#pragma once

#include <string_view>

#include "superd/base/clock.h"

namespace superd {

/// Lines on a terminal that are drawn over each other, ten times a second; nothing elsewhere, where they would be a
/// nuisance. To the standard error. One thread.
class LiveText {
 public:
  explicit LiveText(bool is_quiet);
  ~LiveText() { clear(); }
  LiveText(const LiveText&) = delete;
  LiveText& operator=(const LiveText&) = delete;

  /// Is it worth making the text?
  [[nodiscard]] bool is_due(Time now) const noexcept { return is_shown_ && now - drawn_ >= Millis(100); }
  /// In place of what is shown. What is longer than the terminal is wide is cut off.
  void show(std::string_view text, Time now);
  /// Removes it, before anything else is written.
  void clear() noexcept;

 private:
  bool is_shown_;
  int lines_ = 0;
  Time drawn_{};
};

[[nodiscard]] std::size_t width_of_terminal() noexcept;

}  // namespace superd
