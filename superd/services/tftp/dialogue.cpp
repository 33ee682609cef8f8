#include "superd/services/tftp/dialogue.h"

namespace superd::tftp {

namespace {

// Whoever sends to the port of a transfer that is not his gets this many answers in all.
constexpr int most_strangers = 16;

}  // namespace

Refusal refusal_of(FileFault fault) noexcept {
  switch (fault) {
    case FileFault::not_found: return {Code::not_found, "file not found"};
    case FileFault::forbidden:
    case FileFault::bad_name:
    case FileFault::not_a_file:
    case FileFault::not_a_directory:
    case FileFault::not_empty: return {Code::access, "access violation"};
    case FileFault::exists: return {Code::exists, "file already exists"};
    case FileFault::no_space: return {Code::disk_full, "disk full or allocation exceeded"};
    case FileFault::shortage:
    case FileFault::would_block: return {Code::undefined, "server is busy, try again"};
    case FileFault::cut: return {Code::undefined, "server is ending"};
    case FileFault::failed: break;
  }
  return {Code::undefined, "file cannot be read or written"};
}

void Dialogue::note_sent(bool is_first) noexcept {
  sent_ = exchange.now();
  was_sent_once_ = is_first;
  until_ = sent_ + pace_.patience();
  if (sent_ < renewed_ + Transfers::lasts / 2) return;
  if (renewed_ != Time{}) transfers_.renew(exchange.peer(), sent_);
  renewed_ = sent_;
}

void Dialogue::note_progress() noexcept {
  is_verified_ = true;
  if (was_sent_once_)
    pace_.note_round_trip(exchange.now() - sent_);
  else
    pace_.reset();
}

Dialogue::Next Dialogue::look_at(const std::optional<Exchange::Received>& received) noexcept {
  if (!received) return Next::wait;
  switch (received->event) {
    case Exchange::Event::datagram: {
      const auto found = parse_packet(received->bytes);
      if (!found) return Next::wait;
      packet = *found;
      return packet.opcode == Opcode::error ? Next::over : Next::packet;
    }
    case Exchange::Event::stranger:
      if (++strangers_ <= most_strangers) {
        static const auto unknown = error_packet(Code::unknown_id, "unknown transfer id");
        exchange.send_to_stranger(unknown);
      }
      return Next::wait;
    case Exchange::Event::too_late: return goes_on_after_silence() ? Next::again : Next::over;
    case Exchange::Event::gone: counters().reset_by_client.add(); return Next::over;
    case Exchange::Event::too_long:
      counters().timed_out_total.add();
      fail(Code::undefined, "the transfer takes too long");
      return Next::over;
    case Exchange::Event::cut:
      counters().cut.add();
      fail(FileFault::cut);
      return Next::over;
    case Exchange::Event::failed: break;
  }
  fail(FileFault::shortage);
  return Next::over;
}

bool Dialogue::goes_on_after_silence() noexcept {
  const bool goes_on = pace_.note_silence() && (is_verified_ || pace_.silences() <= 1);
  if (!goes_on) counters().timed_out_idle.add();
  return goes_on;
}

void Dialogue::fail(Code code, std::string_view text) noexcept try {
  exchange.send(error_packet(code, text));
} catch (const std::bad_alloc&) {
  counters().out_of_memory.add();
}

void Dialogue::fail(FileFault fault) noexcept {
  const auto refusal = refusal_of(fault);
  fail(refusal.code, refusal.text);
}

}  // namespace superd::tftp
