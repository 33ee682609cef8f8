#include "superd/lab/tftp_conversation.h"

#include <algorithm>
#include <cerrno>

#include "superd/base/units.h"
#include "superd/base/words.h"

namespace superd {

namespace {

constexpr std::uint16_t unknown_transfer = 5, options_refused = 8;

TftpOptions wanted_options(const TransferManner& manner, std::uint64_t size) {
  TftpOptions wanted{
      {"tsize",   size        },
      {"blksize", manner.block}
  };
  if (manner.window > 1) wanted.emplace_back("windowsize", manner.window);
  if (manner.server_timeout > 0) wanted.emplace_back("timeout", manner.server_timeout);
  return wanted;
}

std::unexpected<Error> what_it_says(const TftpAnswer& answer) {
  const std::string_view names[] = {"an error",
                                    "no such file",
                                    "access refused",
                                    "its disk is full",
                                    "not possible",
                                    "it knows no such transfer",
                                    "the file is there already",
                                    "no such user",
                                    "options refused"};
  std::string text = "the server says: ";
  text +=
      answer.number < std::size(names) ? std::string(names[answer.number]) : "error " + std::to_string(answer.number);
  if (!answer.text.empty()) text += " (" + escaped(answer.text) + ")";
  // Who does not know the transfer any more may have been restarted.
  const int code = answer.number == unknown_transfer ? EAGAIN : answer.number == options_refused ? EPROTONOSUPPORT : 0;
  return std::unexpected(Error{std::move(text), code});
}

bool is_host_of(const Endpoint& server, Endpoint from) {
  from.set_port(server.port());
  return from == server;
}

}  // namespace

void TftpConversation::say(std::vector<std::vector<std::byte>> datagrams) {
  said_ = std::move(datagrams);
  tries_ = 0;
  is_answered_ = false;
  said_at_ = Clock::now();
  send_said(round_trip_.timeout(0));
}

void TftpConversation::say_instead(std::vector<std::byte> datagram) {
  said_.clear();
  said_.push_back(std::move(datagram));
}

void TftpConversation::repeat() {
  ++tries_;
  said_at_ = Clock::now();
  send_said(round_trip_.timeout(tries_));
  resent_ += said_.size();
}

void TftpConversation::repeat_unless_fresh() {
  if (Clock::now() - said_at_ > round_trip_.timeout(0) / 2) repeat();
}

void TftpConversation::send_said(Clock::duration timeout) {
  due_ = said_at_ + timeout;
  for (const auto& bytes : said_) remote_.send(bytes);
  datagrams_ += said_.size();
}

void TftpConversation::note_progress() noexcept {
  const auto now = Clock::now();
  // Of what was sent twice nobody knows which one was answered (Karn).
  if (!is_answered_ && tries_ == 0) round_trip_.note(now - said_at_);
  is_answered_ = true;
  tries_ = 0;
  due_ = now + round_trip_.timeout(0);
}

void TftpConversation::break_off(std::uint16_t code, std::string_view text) {
  if (is_settled_) remote_.send(tftp_error(code, text));
}

Result<std::optional<TftpAnswer>> TftpConversation::listen_until(Time until) {
  while (true) {
    switch (remote_.receive(until)) {
      case Remote::Event::nothing: return std::nullopt;
      case Remote::Event::interrupted: break_off(0, "interrupted"); return std::unexpected(Error{"interrupted", EINTR});
      case Remote::Event::refused:
        if (is_settled_)
          return std::unexpected(
              Error{"the server has ended this transfer: nobody listens at " + remote_.server().text(), ECONNREFUSED});
        return std::unexpected(Error{"nobody listens at " + remote_.server().text(), ECONNREFUSED});
      case Remote::Event::datagram: break;
    }
    auto answer = parse_tftp_answer(remote_.bytes());
    if (!answer || (!is_settled_ && !is_host_of(remote_.server(), remote_.from()))) continue;
    heard_ = Clock::now();
    if (answer->kind == TftpAnswer::Kind::error) return what_it_says(*answer);
    if (!is_settled_) {
      // From now on the kernel refuses whatever comes from elsewhere, as a second transfer that a request began which the
      // network had doubled.
      if (auto settled = remote_.settle(remote_.from()); !settled) return std::unexpected(settled.error());
      is_settled_ = true;
    }
    return answer;
  }
}

Result<TftpAnswer> TftpConversation::listen() {
  while (true) {
    const auto end = heard_ + manner_.patience;
    auto answer = listen_until(std::min(due_, end));
    if (!answer) return std::unexpected(answer.error());
    if (*answer) return std::move(**answer);
    if (Clock::now() >= end)
      return std::unexpected(
          Error{"no answer from " + remote_.server().text() + " for " + format_duration(manner_.patience), ETIMEDOUT});
    repeat();
  }
}

Result<> TftpConversation::agree(const TftpAnswer& answer, const TftpOptions& wanted) {
  for (const auto& [name, value] : answer.options) {
    const auto option = std::ranges::find(wanted, name, [](const auto& entry) { return entry.first; });
    const auto too_much = [&] { return value == 0 || value > option->second; };
    if (option == wanted.end())
      return error("the server answers with an option that was not asked for: " + escaped(name));
    if (name == "tsize") terms_.size = value;
    if (name == "timeout" && value != option->second)
      return error("the server answers with another timeout than asked for");
    if (name == "blksize") {
      if (too_much() || value < 8) return error("the server wants longer blocks than it was asked for");
      terms_.block = value;
    }
    if (name == "windowsize") {
      if (too_much()) return error("the server wants a larger window than it was asked for");
      terms_.window = value;
    }
  }
  return {};
}

Result<TftpAnswer> TftpConversation::open(bool is_write, const std::string& name, std::optional<std::uint64_t> size) {
  auto wanted = wanted_options(manner_, size.value_or(0));
  say({tftp_request(is_write, name, wanted)});
  auto answer = listen();
  if (!answer && answer.error().code == EPROTONOSUPPORT) {
    wanted.clear();
    say({tftp_request(is_write, name, wanted)});
    answer = listen();
  }
  if (!answer) return answer;
  note_progress();
  if (answer->kind != TftpAnswer::Kind::options) return answer;
  if (auto agreed = agree(*answer, wanted); !agreed) {
    break_off(options_refused, agreed.error().what);
    return std::unexpected(agreed.error());
  }
  return answer;
}

}  // namespace superd
