#include "superd/services/tftp/writing.h"

#include <algorithm>
#include <cstring>

namespace superd::tftp {

namespace {

// What is written at once: a hand-over to the background for each block would cost more than the block.
constexpr std::size_t write_size = 64 * 1024;

// How long a client that has not heard our last acknowledgement may take to ask for it again: longer than the timeouts
// of clients, which are one to five seconds, where it named none.
constexpr Millis dally_time{6'000};

}  // namespace

Writing::Writing(Datagram& request, Transfers& transfers, const Grant& grant, bool is_text, Upload upload)
    : request_(request),
      grant_(grant),
      is_text_(is_text),
      upload_(std::move(upload)),
      dialogue_(request, transfers, grant),
      room_(head_size + grant.block_size),
      gather_(std::max(write_size, grant.block_size)) {}

task<> Writing::run() {
  if (!dialogue_.exchange.open()) {
    request_.hosted().counters.out_of_descriptors.add();
    request_.reply(error_packet(Code::undefined, refusal_of(FileFault::shortage).text));
    co_return;
  }
  answer();
  for (;;) {
    const auto outcome = co_await dialogue_.exchange.arrival(dialogue_.until());
    const auto received = dialogue_.exchange.take(outcome, room_);
    switch (dialogue_.look_at(received)) {
      case Dialogue::Next::over: co_return;
      case Dialogue::Next::wait: continue;
      case Dialogue::Next::again:
        is_first_answer_ = false;
        answer();
        continue;
      case Dialogue::Next::packet: break;
    }
    const Step step = take(dialogue_.packet);
    if (step == Step::wait) continue;
    if (step == Step::flush || step == Step::finish) {
      const bool is_end = step == Step::finish;
      const bool is_written = co_await flush(is_end);
      if (!is_written) co_return;
    }
    if (step == Step::finish) break;
    const bool is_due = step == Step::answer || in_window_ == grant_.window;
    if (is_due) answer();
  }
  answer();
  co_await dally();
}

// The last block that came in its order; before the first, the options that are granted, or block 0.
void Writing::answer() noexcept {
  in_window_ = 0;
  if (next_ == 1 && grant_.told.any())
    dialogue_.exchange.send(oack_packet(grant_.told));
  else
    dialogue_.exchange.send(head_of(Opcode::ack, static_cast<std::uint16_t>(next_ - 1)));
  dialogue_.note_sent(is_first_answer_);
}

Writing::Step Writing::take(const Packet& packet) noexcept {
  if (packet.opcode != Opcode::data || packet.rest.size() > grant_.block_size) return Step::wait;
  const auto ahead = static_cast<std::uint16_t>(packet.number - static_cast<std::uint16_t>(next_));
  if (ahead != 0) {
    // One before that has come already: our answer was lost, if it is the last; else it is an echo. One after: there is a
    // gap, of which the client is told once.
    const bool is_last = ahead == 0xffff;
    const bool is_gap = ahead < grant_.window && !std::exchange(told_gap_, true);
    if (is_last) is_first_answer_ = false;
    return is_last || is_gap ? Step::answer : Step::wait;
  }
  if (in_window_ == 0) dialogue_.note_progress();
  is_first_answer_ = true;
  told_gap_ = false;
  ++next_;
  ++in_window_;
  gather(packet.rest);
  if (packet.rest.size() < grant_.block_size) return Step::finish;
  if (gathered_ + grant_.block_size + 1 > gather_.size()) return Step::flush;
  return in_window_ == grant_.window ? Step::answer : Step::wait;
}

void Writing::gather(std::span<const std::byte> bytes) noexcept {
  const auto into = std::span(gather_).subspan(gathered_);
  if (is_text_) {
    gathered_ += converter_.convert(bytes, into);
    return;
  }
  std::memcpy(into.data(), bytes.data(), bytes.size());
  gathered_ += bytes.size();
}

// In the background, where a slow disk holds up nobody. False: it failed, and the client has been told.
task<bool> Writing::flush(bool is_end) {
  if (is_end && is_text_ && converter_.owes_return()) gather_[gathered_++] = std::byte{'\r'};
  const std::span<const std::byte> bytes = std::span(gather_).first(gathered_);
  std::expected<void, FileFault> done;
  const auto write = [&] {
    done = upload_.write(written_, bytes);
    if (done && is_end) done = upload_.finish();
  };
  const bool goes_on = co_await request_.run_in_background(write);
  if (!goes_on && done) done = std::unexpected(FileFault::cut);
  if (!done) {
    dialogue_.fail(done.error());
    co_return false;
  }
  written_ += gathered_;
  gathered_ = 0;
  co_return true;
}

task<> Writing::dally() {
  const auto time = grant_.timeout > Millis{0} ? 2 * grant_.timeout : dally_time;
  const Time until = dialogue_.exchange.now() + std::min(time, 2 * dally_time);
  for (;;) {
    const auto outcome = co_await dialogue_.exchange.arrival(until);
    const auto received = dialogue_.exchange.take(outcome, room_);
    if (received && received->event == Exchange::Event::too_late) co_return;
    const auto next = dialogue_.look_at(received);
    if (next == Dialogue::Next::over) co_return;
    if (next != Dialogue::Next::packet) continue;
    if (dialogue_.packet.number == static_cast<std::uint16_t>(next_ - 1)) answer();
  }
}

}  // namespace superd::tftp
