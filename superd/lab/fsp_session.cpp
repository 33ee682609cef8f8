#include "superd/lab/fsp_session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "superd/base/units.h"
#include "superd/base/words.h"

namespace superd {

namespace {

constexpr std::uint16_t tries_mask = 0x7;  // of a sequence: which try it is; the rest tells the request

bool has_its_place(FspCommand command) noexcept {
  return command == FspCommand::get_directory || command == FspCommand::get_file || command == FspCommand::upload;
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

FspSession::FspSession(Remote remote, Manner manner)
    : remote_(std::move(remote)), manner_(std::move(manner)), heard_(Clock::now()) {
  std::random_device random;
  identity_ = static_cast<std::uint16_t>(random()) & ~tries_mask;
  key_ = static_cast<std::uint16_t>(random());
}

FspRequest FspSession::about(FspCommand command, std::string_view name, std::uint32_t position) const {
  std::string text(name);
  if (!manner_.password.empty()) text += '\n' + manner_.password;
  text += '\0';
  return {command, position, copy_of(std::as_bytes(std::span(text))), {}};
}

Result<FspAnswer> FspSession::ask(FspRequest request) {
  begin(std::move(request));
  return next();
}

std::size_t FspSession::begin(FspRequest request) {
  // Who has been silent was not asked.
  if (flights_.empty()) heard_ = Clock::now();
  identity_ = static_cast<std::uint16_t>(identity_ + tries_mask + 1);
  flights_.push_back({++number_, std::move(request), identity_});
  ++counts_.requests;
  send(flights_.back());
  return number_;
}

// Half a second more than the least that the document asks for, and the growth that it recommends.
Clock::duration FspSession::timeout(int tries) const noexcept {
  if (keeps_key_) return round_trip_.timeout(tries);
  Clock::duration time = Millis(1'340);
  constexpr Clock::duration most = std::chrono::seconds(15);
  for (; tries > 0 && time < most; --tries) time += time / 2;
  return std::min(time, most);
}

void FspSession::send(Flight& flight) {
  const auto& request = flight.request;
  const auto now = Clock::now();
  const auto a_try = static_cast<std::uint16_t>(flight.tries) & tries_mask;
  std::vector<std::byte> bytes(fsp::header + request.data.size() + request.extra.size());
  const auto sequence = static_cast<std::uint16_t>(flight.identity | a_try);
  build_fsp({request.command, key_, sequence, request.position, request.data, request.extra}, FspWay::to_server, bytes);
  flight.sent[a_try] = now;
  flight.order = ++order_;
  flight.due = now + timeout(flight.tries);
  if (!remote_.send(bytes)) is_refused_ = true;
}

void FspSession::send_again(Flight& flight) {
  ++flight.tries;
  ++counts_.resent;
  send(flight);
}

// When the next one is.
Time FspSession::send_what_is_due() {
  Time next = never;
  for (auto& flight : flights_) {
    if (flight.due <= Clock::now()) send_again(flight);
    next = std::min(next, flight.due);
  }
  return next;
}

// What was sent before three others that have been answered is lost, most likely (as TCP takes it, RFC 5681, 3.2).
void FspSession::send_what_was_overtaken(std::uint64_t order) {
  constexpr std::uint64_t reordered = 3;
  for (auto& flight : flights_)
    if (flight.order + reordered <= order) send_again(flight);
}

void FspSession::note_key(std::uint16_t key) noexcept {
  const bool is_first = answers_++ == 0;
  const bool is_same = std::exchange(key_, key) == key;
  if (is_first) return;
  key_changes_ = is_same ? 0 : key_changes_ + 1;
  same_keys_ = is_same ? same_keys_ + 1 : 0;
  // Of random keys, one in 65536 is the last one again; three such in a row are none.
  constexpr int sure = 3;
  keeps_key_ = same_keys_ >= sure || (keeps_key_ && key_changes_ < 2);
}

std::optional<FspAnswer> FspSession::take(std::span<const std::byte> bytes) {
  const auto packet = parse_fsp(bytes, FspWay::to_client);
  if (!packet) {
    ++counts_.strange;
    return {};
  }
  const auto fits = [&](const Flight& flight) {
    const bool is_error = packet->command == FspCommand::error;
    return (packet->sequence & ~tries_mask) == flight.identity &&
           (is_error || (packet->command == flight.request.command &&
                         (!has_its_place(packet->command) || packet->position == flight.request.position)));
  };
  const auto flight = std::ranges::find_if(flights_, fits);
  if (flight == flights_.end()) {
    ++counts_.strange;
    return {};
  }
  note_key(packet->key);
  heard_ = Clock::now();
  is_refused_ = false;
  round_trip_.note(heard_ - flight->sent[packet->sequence & tries_mask]);
  const auto order = flight->order;
  FspAnswer answer{flight->number, packet->position, copy_of(packet->data), copy_of(packet->extra)};
  flights_.erase(flight);
  if (packet->command == FspCommand::error)
    said_ = Error{"the server says: " + escaped(name_of_fsp(packet->data).name), 0};
  send_what_was_overtaken(order);
  return answer;
}

std::unexpected<Error> FspSession::give_up(std::string why, int code) {
  flights_.clear();
  return std::unexpected(Error{std::move(why), code});
}

Result<FspAnswer> FspSession::next() {
  while (true) {
    const auto due = send_what_is_due();
    const auto end = heard_ + manner_.patience;
    switch (remote_.receive(std::min(due, end))) {
      case Remote::Event::datagram:
        if (auto answer = take(remote_.bytes())) {
          if (auto said = std::exchange(said_, {})) return std::unexpected(std::move(*said));
          return std::move(*answer);
        }
        break;
      case Remote::Event::interrupted: return give_up("interrupted", EINTR);
      case Remote::Event::refused: is_refused_ = true; break;
      case Remote::Event::nothing: break;
    }
    // Who has never answered is not being restarted, but not there.
    if (is_refused_ && answers_ == 0) return give_up("nobody listens at " + remote_.server().text(), ECONNREFUSED);
    if (Clock::now() >= end)
      return give_up("no answer from " + remote_.server().text() + " for " + format_duration(manner_.patience),
                     ETIMEDOUT);
  }
}

void FspSession::leave() noexcept try {
  begin({FspCommand::bye, 0, {}, {}});
  flights_.clear();
} catch (const std::bad_alloc&) {
}

}  // namespace superd
