#include "superd/lab/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace superd {

namespace {

double seconds(Clock::duration time) noexcept { return std::chrono::duration<double>(time).count(); }

}  // namespace

std::string size_for_people(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto size = static_cast<double>(bytes);
  const char* const units[] = {"KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (size /= 1024; size >= 1024 && unit < 2; ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string time_for_people(Clock::duration time) {
  const auto all = std::chrono::duration_cast<Seconds>(time).count();
  if (all < 3600) return fmt::format("{}:{:02}", all / 60, all % 60);
  return fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
}

Progress::Progress(std::string what, bool is_quiet)
    : what_(std::move(what)), is_quiet_(is_quiet), live_(is_quiet), began_(Clock::now()) {}

void Progress::show(std::uint64_t done, std::uint64_t of) {
  const auto now = Clock::now();
  if (!live_.is_due(now)) return;
  const auto moved = done - std::min(done, from_);
  const auto rate = static_cast<double>(moved) / std::max(seconds(now - began_), 0.001);
  std::string tail = size_for_people(done);
  if (of > 0) tail += " of " + size_for_people(of);
  tail += fmt::format(", {}/s", size_for_people(static_cast<std::uint64_t>(rate)));
  if (of > done && rate >= 1) {
    const auto left = static_cast<std::int64_t>(static_cast<double>(of - done) / rate);
    tail += ", " + time_for_people(Seconds(left)) + " left";
  }
  std::string line = what_;
  const auto used = what_.size() + tail.size() + 12;
  if (of > 0 && width_of_terminal() > used) {
    const auto room = std::min<std::size_t>(width_of_terminal() - used, 40);
    const auto filled = std::min<std::size_t>(room, done * room / of);
    line += fmt::format(" {:3} % [{}{}]", std::min<std::uint64_t>(100, done * 100 / of), std::string(filled, '#'),
                        std::string(room - filled, ' '));
  }
  line += " " + tail;
  live_.show(line, now);
}

void Progress::tell(const std::string& text) {
  clear();
  if (!is_quiet_) fmt::print(stderr, "{}\n", text);
}

}  // namespace superd
