#include "superd/designs/decisions.h"

#include <fmt/format.h>

#include <algorithm>

namespace superd {

namespace {

double micros(std::chrono::nanoseconds duration) { return static_cast<double>(duration.count()) / 1000; }

}  // namespace

std::string_view name_of(Decisions::What what) noexcept {
  switch (what) {
    case Decisions::What::looks_more_often: return "looks more often";
    case Decisions::What::looks_less_often: return "looks less often";
    case Decisions::What::hands_over_at_once_now: return "hands over at once";
    case Decisions::What::waits_again: return "waits again before it hands over";
    case Decisions::What::thread_started: return "started a thread";
    case Decisions::What::thread_ended: return "let a thread go";
    case Decisions::What::threads_at_bound: return "lets the others wait";
    case Decisions::What::queues_datagrams: return "queues datagrams";
    case Decisions::What::handles_in_place: return "handles datagrams in place";
  }
  return "?";
}

std::string Decisions::Decision::text() const {
  const auto name = name_of(what);
  const auto& f = figures;
  switch (what) {
    case What::looks_more_often:
      return fmt::format("{}, every {:.0f} us: a conversation was late; a hand-over costs {:.0f} us", name,
                         micros(f.period), micros(f.cost));
    case What::looks_less_often:
      return fmt::format("{}, every {:.0f} us: nobody was late at the last looks", name, micros(f.period));
    case What::hands_over_at_once_now:
      return fmt::format(
          "{}: {:.1f} % of the last conversations were late, and waiting {:.0f} us for each costs more "
          "than a hand-over of {:.0f} us",
          name, 100 * f.late_share, micros(f.period), micros(f.cost));
    case What::waits_again:
      return fmt::format(
          "{}: {:.1f} % of the last conversations were late; {:.0f} us of waiting for those cost less "
          "than a hand-over of {:.0f} us for each",
          name, 100 * f.late_share, micros(f.period), micros(f.cost));
    case What::thread_started: return fmt::format("{}: no spare was left; {} threads now", name, f.threads);
    case What::thread_ended:
      return fmt::format("{}: a spare had been idle for {:.0f} s; {} threads now", name, micros(f.period) / 1e6,
                         f.threads);
    case What::threads_at_bound:
      return fmt::format("{}: a conversation is late, and all {} threads are busy", name, f.threads);
    case What::queues_datagrams: return fmt::format("{}: a handler was late, or all places were taken", name);
    case What::handles_in_place: return fmt::format("{}: the queue is empty", name);
  }
  return "?";
}

void Decisions::note(What what, const Figures& figures) noexcept {
  const std::lock_guard lock(mutex_);
  ring_[count_++ % kept] = {Clock::now(), what, figures};
}

std::vector<Decisions::Decision> Decisions::recent() const {
  const std::lock_guard lock(mutex_);
  std::vector<Decision> result;
  for (auto i = count_ - std::min<std::uint64_t>(count_, kept); i < count_; ++i) result.push_back(ring_[i % kept]);
  return result;
}

std::uint64_t Decisions::count() const noexcept {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace superd
