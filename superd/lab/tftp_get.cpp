#include <algorithm>
#include <cerrno>

#include "superd/lab/download.h"
#include "superd/lab/tftp_conversation.h"
#include "superd/lab/tftp_retry.h"
#include "superd/lab/tftp_transfer.h"

namespace superd {

namespace {

/// Takes the blocks of a file in their order, and says how far it has come.
class Receiving {
 public:
  Receiving(TftpConversation& conversation, Download& into, Progress& progress)
      : conversation_(conversation), into_(into), progress_(progress) {}

  Result<> run(const TftpAnswer& first, const TransferBounds& bounds) {
    if (first.kind == TftpAnswer::Kind::options)
      acknowledge();
    else if (auto taken = take(first); !taken)
      return taken;
    while (!is_whole_) {
      if (auto within = bounds.check(); !within) return within;
      const auto answer = conversation_.listen();
      if (!answer) return std::unexpected(answer.error());
      if (auto taken = take(*answer); !taken) return taken;
    }
    dally();
    return check_size();
  }

 private:
  // Block numbers have 16 bits. Behind 65535 most servers go on with 0, a few with 1.
  [[nodiscard]] std::uint16_t wire(std::uint64_t block) const noexcept {
    return static_cast<std::uint16_t>(block + skipped_);
  }

  Result<> take(const TftpAnswer& answer) {
    if (answer.kind == TftpAnswer::Kind::options && wanted_ == 1) conversation_.repeat_unless_fresh();
    if (answer.kind != TftpAnswer::Kind::data) return {};
    const auto& terms = conversation_.terms();
    if (wire(wanted_) == 0 && answer.number == 1 && terms.window == 1) ++skipped_;
    const auto ahead = static_cast<std::uint16_t>(answer.number - wire(wanted_));
    if (ahead == 0) return take_next(answer.data);
    if (ahead < terms.window)
      tell_gap();
    else if (answer.number == wire(acknowledged_))
      conversation_.repeat_unless_fresh();
    return {};
  }

  Result<> take_next(std::span<const std::byte> data) {
    const auto& terms = conversation_.terms();
    if (data.size() > terms.block) return error("the server sends longer blocks than agreed upon");
    if (auto added = into_.add(data); !added) {
      conversation_.break_off(3, "disk full or not writable");
      return added;
    }
    conversation_.note_progress();
    progress_.show(into_.size(), terms.size.value_or(0));
    has_told_gap_ = false;
    is_whole_ = data.size() < terms.block;
    if (is_whole_ || wanted_ - acknowledged_ == terms.window)
      acknowledge_up_to(wanted_);
    else
      conversation_.say_instead(tftp_acknowledgement(wire(wanted_)));
    ++wanted_;
    return {};
  }

  void acknowledge() { acknowledge_up_to(wanted_ - 1); }
  void acknowledge_up_to(std::uint64_t block) {
    acknowledged_ = block;
    conversation_.say({tftp_acknowledgement(wire(block))});
  }

  // Once: what else is on its way from this window is of no use (RFC 7440, section 4).
  void tell_gap() {
    if (has_told_gap_) return;
    has_told_gap_ = true;
    acknowledge();
  }

  // If the last acknowledgement is lost, the server sends the last block again (RFC 1350, section 6).
  void dally() {
    const auto until = Clock::now() + 4 * conversation_.timeout();
    while (true) {
      const auto answer = conversation_.listen_until(until);
      if (!answer || !*answer) return;
      if ((*answer)->kind == TftpAnswer::Kind::data) conversation_.repeat();
    }
  }

  Result<> check_size() const {
    const auto told = conversation_.terms().size;
    if (!told || *told == into_.size()) return {};
    return std::unexpected(Error{"the file changed while it was read; what had arrived is discarded", ESTALE});
  }

  TftpConversation& conversation_;
  Download& into_;
  Progress& progress_;
  std::uint64_t wanted_ = 1, acknowledged_ = 0;
  std::uint16_t skipped_ = 0;
  bool has_told_gap_ = false, is_whole_ = false;
};

Result<TransferReport> get_once(const Endpoint& server, const FileUrl& url, Download& into,
                                const TransferManner& manner, Progress& progress, bool& has_begun) {
  const TransferBounds bounds(manner);
  auto remote = Remote::unconnected(server);
  if (!remote) return std::unexpected(remote.error());
  TftpConversation conversation(std::move(*remote), manner);
  const auto first = conversation.open(false, url.path, std::nullopt);
  if (!first) return std::unexpected(first.error());
  has_begun = true;
  if (auto received = Receiving(conversation, into, progress).run(*first, bounds); !received)
    return std::unexpected(received.error());
  return TransferReport{.bytes = into.size(), .datagrams = conversation.datagrams(), .resent = conversation.resent()};
}

}  // namespace

Result<TransferReport> tftp_get(const Endpoint& server, const FileUrl& url, const std::string& output,
                                const TransferManner& manner, Progress& progress) {
  auto into = Download::begin(output, {});
  if (!into) return std::unexpected(into.error());
  const auto once = [&](bool& has_begun) -> Result<TransferReport> {
    if (auto begun = into->begin_again(); !begun) return std::unexpected(begun.error());
    return get_once(server, url, *into, manner, progress, has_begun);
  };
  auto report = with_retries(once, manner, progress);
  if (!report) {
    into->discard();
    return report;
  }
  if (auto finished = into->finish(0); !finished) return std::unexpected(finished.error());
  report->digest = into->digest();
  return report;
}

}  // namespace superd
