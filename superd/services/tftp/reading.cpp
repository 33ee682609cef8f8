#include "superd/services/tftp/reading.h"

#include <algorithm>

namespace superd::tftp {

namespace {

// Of what leaves in one system call, and so of a transfer's memory.
constexpr std::size_t largest_batch = 60'000;
// Beyond that, a larger piece saves nothing that could be measured, and fifty boards at once shall fit into a small one.
constexpr std::size_t read_at_once = 16 * 1024;
// After which a socket that had no room for more is tried again: some hundred datagrams leave a network card in that time.
constexpr Millis until_there_is_room{1};

std::size_t blocks_at_once(const Grant& grant) noexcept {
  const auto fitting = std::max<std::size_t>(1, largest_batch / (grant.block_size + head_size));
  return static_cast<std::size_t>(std::min<std::uint64_t>({grant.window, fitting, Exchange::most_at_once}));
}

}  // namespace

Reading::Reading(Datagram& request, Transfers& transfers, const Grant& grant, What what)
    : request_(request),
      what_(std::move(what)),
      grant_(grant),
      dialogue_(request, transfers, grant),
      window_(grant.window),
      is_opening_(grant.told.any()),
      most_blocks_(blocks_at_once(grant)),
      piece_(piece_size()),
      heads_(most_blocks_),
      parts_(most_blocks_),
      text_(what_.is_text ? head_size + grant.block_size : 0) {}

task<> Reading::run() {
  if (!begin()) co_return;
  for (;;) {
    while (!is_opening_ && window_.may_send()) {
      if (!has_next()) {
        const auto offset = offset_of_next();
        const auto room = piece_.begin(offset, what_.asks_each_time ? room_for_blocks() : piece_.size());
        if (what_.asks_each_time) {
          const auto found = co_await what_.files.use(request_, what_.name);
          if (found) what_.file = *found;
        }
        const bool is_buffered = what_.file.file->ahead.is_enabled();
        std::expected<std::size_t, int> got = 0;
        if (is_buffered) got = co_await what_.files.read(request_, what_.file, offset, room);
        if (!is_buffered) got = co_await request_.read_file(what_.file.file->file.fd(), offset, room);
        if (!got) {
          dialogue_.fail(fault_of(got.error()));
          co_return;
        }
        piece_.note_filled(*got);
        if (what_.is_text) keep_text();
      }
      if (send_blocks()) continue;
      const bool goes_on = co_await request_.sleep(until_there_is_room);
      if (!goes_on) {
        dialogue_.fail(FileFault::cut);
        co_return;
      }
    }
    const auto outcome = co_await dialogue_.exchange.arrival(dialogue_.until());
    const auto received = dialogue_.exchange.take(outcome, heard_);
    switch (dialogue_.look_at(received)) {
      case Dialogue::Next::over: co_return;
      case Dialogue::Next::wait: break;
      case Dialogue::Next::again:
        was_silent_ = true;
        window_.go_back();
        if (is_opening_) open_dialogue();
        break;
      case Dialogue::Next::packet:
        if (!take(dialogue_.packet)) co_return;
    }
  }
}

bool Reading::begin() {
  if (!dialogue_.exchange.open()) {
    request_.hosted().counters.out_of_descriptors.add();
    request_.reply(error_packet(Code::undefined, refusal_of(FileFault::shortage).text));
    return false;
  }
  if (is_opening_) open_dialogue();
  return true;
}

void Reading::open_dialogue() noexcept {
  dialogue_.exchange.send(oack_packet(grant_.told));
  dialogue_.note_sent(!was_silent_);
}

// The table for each block, as slide 8 has it, is asked for each.
bool Reading::has_next() const noexcept {
  if (what_.is_text) return text_block_ == window_.next();
  return !what_.asks_each_time && piece_.has(offset_of_next(), room_for_blocks());
}

std::size_t Reading::room_for_blocks() const noexcept {
  if (what_.is_text) return grant_.block_size;
  return static_cast<std::size_t>(std::min<std::uint64_t>(most_blocks_, window_.room())) * grant_.block_size;
}

// Whole batches, so that none has to be sent in two.
std::size_t Reading::piece_size() const noexcept {
  if (what_.is_text) return grant_.block_size;
  const auto batch = most_blocks_ * grant_.block_size;
  return what_.asks_each_time ? batch : std::max<std::size_t>(1, read_at_once / batch) * batch;
}

std::uint64_t Reading::offset_of_next() const noexcept {
  return what_.is_text ? text_offset_ : (window_.next() - 1) * grant_.block_size;
}

// Some of what was read may not have fitted: it is read again for the next block.
void Reading::keep_text() noexcept {
  const auto read = piece_.take(text_offset_, grant_.block_size);
  const auto done = converter_.convert(read, std::span(text_).subspan(head_size));
  text_block_ = window_.next();
  text_offset_ += done.read;
  text_size_ = done.written;
}

std::span<std::byte> Reading::next_blocks() noexcept {
  if (what_.is_text) return std::span(text_).subspan(head_size, text_size_);
  return piece_.take(offset_of_next(), room_for_blocks());
}

// False: the socket has no room.
bool Reading::send_blocks() noexcept {
  const auto all = next_blocks();
  const bool is_end = all.size() < room_for_blocks();
  const auto whole = all.size() / grant_.block_size;
  const auto count = whole + (is_end ? 1 : 0);
  if (is_end) window_.note_last(window_.next() + whole);
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = i * grant_.block_size;
    heads_[i] = head_of(Opcode::data, static_cast<std::uint16_t>(window_.next() + i));
    parts_[i] = {heads_[i], all.subspan(begin, std::min(grant_.block_size, all.size() - begin))};
  }
  // The first, and without a window the only one, in one piece: a send of two costs more.
  if (count > 0) {
    std::byte* const begin = all.data() - head_size;
    std::ranges::copy(heads_[0], begin);
    parts_[0] = {
        {begin, head_size + parts_[0].body.size()},
        {}
    };
  }
  const auto sent = dialogue_.exchange.send(std::span(parts_).first(count));
  const bool is_first = window_.next() > highest_sent_ && !was_silent_;
  window_.note_sent(sent);
  highest_sent_ = std::max(highest_sent_, window_.next() - 1);
  if (sent > 0) dialogue_.note_sent(is_first);
  return sent == count;
}

// False: the file has arrived.
bool Reading::take(const Packet& packet) noexcept {
  if (packet.opcode != Opcode::ack) return true;
  if (is_opening_) {
    if (packet.number != 0) return true;
    is_opening_ = false;
    dialogue_.note_progress();
    was_silent_ = false;
    return true;
  }
  switch (window_.acknowledge(packet.number)) {
    case Window::Answer::ignored: dialogue_.note_life(); return true;
    case Window::Answer::finished: return false;
    case Window::Answer::progress: dialogue_.note_progress(); break;
    case Window::Answer::gap: dialogue_.note_life(); break;
  }
  was_silent_ = false;
  return true;
}

}  // namespace superd::tftp
