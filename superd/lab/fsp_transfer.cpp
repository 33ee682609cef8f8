#include "superd/lab/fsp_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "superd/base/big_endian.h"

namespace superd {

namespace {

std::unexpected<Error> changed() {
  return std::unexpected(Error{"the file changed while it was read; what had arrived is discarded", ESTALE});
}

Result<FspStat> look_at(FspSession& session, const std::string& path) {
  const auto answer = session.ask(session.about(FspCommand::stat, path));
  if (!answer) return std::unexpected(answer.error());
  const auto stat = parse_fsp_stat(answer->data);
  if (!stat) return error("the server's answer to STAT is cut short");
  return *stat;
}

/// Asks for the pieces of a file, several at a time, and puts them together in their order.
class Fetching {
 public:
  Fetching(FspSession& session, const std::string& path, std::uint32_t size, std::uint16_t payload, Download& into)
      : session_(session), path_(path), size_(size), payload_(payload), into_(into), asked_(into.size()) {}

  Result<> run(const TransferBounds& bounds, Progress& progress) {
    while (into_.size() < size_) {
      if (auto within = bounds.check(); !within) return within;
      while (session_.has_room() && ask_for_more()) {
      }
      const auto answer = session_.next();
      if (!answer) return std::unexpected(answer.error());
      if (auto taken = take(*answer); !taken) return taken;
      progress.show(into_.size(), size_);
    }
    return {};
  }

 private:
  struct Piece {
    std::uint64_t at;
    std::size_t size;
    std::size_t request = 0;
    bool is_here = false;
    std::vector<std::byte> bytes;
  };

  bool ask_for_more() {
    if (asked_ >= size_ || pieces_.size() >= most_pieces) return false;
    pieces_.push_back({asked_, std::min<std::size_t>(payload_, size_ - asked_)});
    asked_ += pieces_.back().size;
    ask(pieces_.back());
    return true;
  }

  void ask(Piece& piece) {
    auto request =
        session_.about(FspCommand::get_file, path_, static_cast<std::uint32_t>(piece.at + piece.bytes.size()));
    request.extra.resize(2);
    store16(static_cast<std::uint16_t>(piece.size - piece.bytes.size()), request.extra.data());
    piece.request = session_.begin(std::move(request));
  }

  Result<> take(const FspAnswer& answer) {
    const auto piece = std::ranges::find(pieces_, answer.request, &Piece::request);
    if (piece == pieces_.end()) return {};
    if (answer.data.empty()) return changed();
    const auto part = std::span(answer.data).first(std::min(answer.data.size(), piece->size - piece->bytes.size()));
    piece->bytes.insert(piece->bytes.end(), part.begin(), part.end());
    piece->is_here = piece->bytes.size() == piece->size;
    if (!piece->is_here) {
      // It sends no more at once; so it shall not be asked for more.
      payload_ = static_cast<std::uint16_t>(std::min<std::size_t>(payload_, part.size()));
      ask(*piece);
    }
    return write_what_is_next();
  }

  Result<> write_what_is_next() {
    auto piece = pieces_.begin();
    for (; piece != pieces_.end() && piece->is_here; ++piece)
      if (auto added = into_.add(piece->bytes); !added) return added;
    pieces_.erase(pieces_.begin(), piece);
    return {};
  }

  static constexpr std::size_t most_pieces = 256;  // behind one that is late

  FspSession& session_;
  const std::string& path_;
  const std::uint64_t size_;
  std::uint16_t payload_;
  Download& into_;
  std::uint64_t asked_;
  std::vector<Piece> pieces_;  // in their order
};

TransferReport report_of(const FspSession& session, std::uint64_t bytes) {
  const auto& counts = session.counts();
  return {.bytes = bytes, .datagrams = counts.requests + counts.resent, .resent = counts.resent};
}

}  // namespace

std::uint16_t fsp_payload(FspSession& session, const TransferManner& manner) {
  constexpr auto usual = static_cast<std::uint16_t>(fsp::payload);
  if (manner.block <= usual) return manner.block;
  const auto answer = session.ask({FspCommand::version, 0, {}, {}});
  if (!answer) return usual;
  const auto version = parse_fsp_version(std::span(answer->extra));
  if (!version || !(version->flags & FspVersion::takes_extra) || version->payload < usual) return usual;
  return std::min(manner.block, version->payload);
}

Result<TransferReport> fsp_get(FspSession& session, const FileUrl& url, const std::string& output,
                               const TransferManner& manner, Progress& progress) {
  const TransferBounds bounds(manner);
  const auto stat = look_at(session, url.path);
  if (!stat) return std::unexpected(stat.error());
  if (stat->type != FspType::file)
    return error(stat->type == FspType::directory ? "a directory: superctl ls lists it" : "no such file");
  const auto payload = fsp_payload(session, manner);

  auto download = Download::begin(output, manner.resumes ? fmt::format("{:x}-{:x}", stat->size, stat->time) : "");
  if (!download) return std::unexpected(download.error());
  if (download->size() > stat->size)
    if (auto begun = download->begin_again(); !begun) return std::unexpected(begun.error());
  progress.begin_at(download->size());

  Fetching fetching(session, url.path, stat->size, payload, *download);
  if (auto fetched = fetching.run(bounds, progress); !fetched) {
    if (fetched.error().code == ESTALE) download->discard();
    return std::unexpected(fetched.error());
  }
  const auto after = look_at(session, url.path);
  if (!after) return std::unexpected(after.error());
  if (*after != *stat) {
    download->discard();
    return changed();
  }
  if (auto finished = download->finish(stat->time); !finished) return std::unexpected(finished.error());
  auto report = report_of(session, download->size());
  report.resumed = download->resumed();
  report.digest = download->digest();
  return report;
}

Result<std::vector<FspEntry>> fsp_list(FspSession& session, const FileUrl& url, const TransferManner& manner) {
  const TransferBounds bounds(manner);
  std::vector<FspEntry> entries;
  std::size_t block = 0;
  for (std::uint32_t at = 0;;) {
    if (auto within = bounds.check(); !within) return std::unexpected(within.error());
    const auto answer = session.ask(session.about(FspCommand::get_directory, url.path, at));
    if (!answer) return std::unexpected(answer.error());
    if (answer->data.empty() || !parse_fsp_block(answer->data, entries)) break;
    block = std::max(block, answer->data.size());
    if (answer->data.size() < block) break;
    at += static_cast<std::uint32_t>(answer->data.size());
  }
  return entries;
}

}  // namespace superd
