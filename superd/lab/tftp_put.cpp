#include <algorithm>

#include "superd/lab/local_file.h"
#include "superd/lab/tftp_conversation.h"
#include "superd/lab/tftp_retry.h"
#include "superd/lab/tftp_transfer.h"

namespace superd {

namespace {

/// Sends the blocks of a file, a window at a time.
class Sending {
 public:
  Sending(TftpConversation& conversation, LocalFile& file, Progress& progress)
      : conversation_(conversation),
        file_(file),
        progress_(progress),
        // One more that is not full tells that it is the last.
        blocks_(file.size() / conversation.terms().block + 1) {}

  Result<> run(const TransferBounds& bounds) {
    while (acknowledged_ < blocks_) {
      if (auto within = bounds.check(); !within) return within;
      if (auto sent = send_window(); !sent) return sent;
      if (auto heard = await_acknowledgement(); !heard) return heard;
      progress_.show(std::min(acknowledged_ * conversation_.terms().block, file_.size()), file_.size());
    }
    return {};
  }

 private:
  Result<> send_window() {
    const std::uint64_t size = conversation_.terms().block;
    std::vector<std::vector<std::byte>> window;
    for (auto block = acknowledged_ + 1; block <= last_of_window(); ++block) {
      const auto at = (block - 1) * size;
      const auto bytes = file_.read(at, std::min(size, file_.size() - at));
      if (!bytes) {
        conversation_.break_off(0, "the file changed");
        return std::unexpected(bytes.error());
      }
      window.push_back(tftp_data(static_cast<std::uint16_t>(block), *bytes));
    }
    conversation_.say(std::move(window));
    return {};
  }

  // One for something that had been acknowledged before is ignored: to send a window again for it would double
  // everything from then on (RFC 1123, 4.2.3.1).
  Result<> await_acknowledgement() {
    while (true) {
      const auto answer = conversation_.listen();
      if (!answer) return std::unexpected(answer.error());
      if (answer->kind != TftpAnswer::Kind::acknowledgement) continue;
      const auto more = static_cast<std::uint16_t>(answer->number - static_cast<std::uint16_t>(acknowledged_));
      if (more == 0 || acknowledged_ + more > last_of_window()) continue;
      conversation_.note_progress();
      acknowledged_ += more;
      return {};
    }
  }

  [[nodiscard]] std::uint64_t last_of_window() const noexcept {
    return std::min(acknowledged_ + conversation_.terms().window, blocks_);
  }

  TftpConversation& conversation_;
  LocalFile& file_;
  Progress& progress_;
  const std::uint64_t blocks_;
  std::uint64_t acknowledged_ = 0;
};

Result<TransferReport> put_once(const Endpoint& server, LocalFile& file, const FileUrl& url,
                                const TransferManner& manner, Progress& progress, bool& has_begun) {
  const TransferBounds bounds(manner);
  auto remote = Remote::unconnected(server);
  if (!remote) return std::unexpected(remote.error());
  TftpConversation conversation(std::move(*remote), manner);
  const auto first = conversation.open(true, url.path, file.size());
  if (!first) return std::unexpected(first.error());
  has_begun = true;
  if (auto sent = Sending(conversation, file, progress).run(bounds); !sent) return std::unexpected(sent.error());
  return TransferReport{.bytes = file.size(), .datagrams = conversation.datagrams(), .resent = conversation.resent()};
}

}  // namespace

Result<TransferReport> tftp_put(const Endpoint& server, const std::string& input, const FileUrl& url,
                                const TransferManner& manner, Progress& progress) {
  auto file = LocalFile::open(input);
  if (!file) return std::unexpected(file.error());
  const auto once = [&](bool& has_begun) { return put_once(server, *file, url, manner, progress, has_begun); };
  auto report = with_retries(once, manner, progress);
  if (!report) return report;
  if (auto digest = file->digest(); digest) report->digest = *digest;
  return report;
}

}  // namespace superd
