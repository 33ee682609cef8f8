#include "superd/lab/probe_window.h"

namespace superd {

void ProbeWindow::note_sent(std::uint64_t count, Time now) {
  if (marks_.empty() || now > marks_.back().until) marks_.push_back({next_, now + grain});
  for (const auto end = next_ + count; next_ < end; ++next_)
    answered_[next_ % capacity / 64] &= ~(std::uint64_t{1} << next_ % 64);
  pending_ += count;
  unanswered_ += count;
}

ProbeWindow::Answer ProbeWindow::note_answer(std::uint64_t number) noexcept {
  if (number < oldest_ || number >= next_) return Answer::late;
  if (is_answered(number)) return Answer::again;
  answered_[number % capacity / 64] |= std::uint64_t{1} << number % 64;
  --unanswered_;
  if (number >= young_) --pending_;
  return Answer::first;
}

void ProbeWindow::age(Time now, Clock::duration patience) noexcept {
  for (; aged_ < marks_.size() && now - marks_[aged_].until >= patience; ++aged_)
    for (const auto end = end_of(aged_); young_ < end; ++young_)
      if (!is_answered(young_)) --pending_;
}

void ProbeWindow::forget_mark() noexcept {
  marks_.pop_front();
  if (aged_ > 0) --aged_;
}

// Where all is answered there is nothing to wait for, but a second answer is still told from a first one: only what stands
// in the way goes early.
void ProbeWindow::forget_answered() noexcept {
  while (room() < capacity / 2 && oldest_ < young_ && is_answered(oldest_)) ++oldest_;
  while (marks_.size() > 1 && marks_[1].first <= oldest_) forget_mark();
}

}  // namespace superd
