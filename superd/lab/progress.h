#pragma once

#include <cstdint>
#include <string>

#include "superd/base/clock.h"
#include "superd/lab/live_text.h"

namespace superd {

/// Shows people how far a transfer is: a bar on a terminal, drawn anew ten times a second; nothing elsewhere, where lines
/// that overwrite each other would be a nuisance. To the standard error. One thread.
class Progress {
 public:
  Progress(std::string what, bool is_quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `of`: 0 where it is not known. `from`: where this transfer began.
  void show(std::uint64_t done, std::uint64_t of);
  void begin_at(std::uint64_t from) noexcept { from_ = from; }
  /// A line for people, also where there is no terminal.
  void tell(const std::string& text);
  /// Removes the bar, before anything else is written.
  void clear() noexcept { live_.clear(); }
  [[nodiscard]] Clock::duration duration() const noexcept { return Clock::now() - began_; }

 private:
  std::string what_;
  bool is_quiet_;
  LiveText live_;
  std::uint64_t from_ = 0;
  Time began_;
};

/// "12.3 MiB"
[[nodiscard]] std::string size_for_people(std::uint64_t bytes);
/// "0:07", "1:02:03"
[[nodiscard]] std::string time_for_people(Clock::duration time);

}  // namespace superd
