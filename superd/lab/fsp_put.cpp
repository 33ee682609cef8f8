#include <algorithm>
#include <cerrno>

#include "superd/base/big_endian.h"
#include "superd/lab/fsp_transfer.h"
#include "superd/lab/local_file.h"

namespace superd {

namespace {

// Whatever an upload from here that broke off has left. The server may say that there is none.
Result<> cancel_old(FspSession& session) {
  const auto answer = session.ask(session.about(FspCommand::install, ""));
  if (!answer && answer.error().code != 0) return std::unexpected(answer.error());
  return {};
}

Result<> send_block(FspSession& session, LocalFile& file, std::uint64_t at, std::size_t size) {
  auto block = file.read(at, size);
  if (!block) return std::unexpected(block.error());
  session.begin({FspCommand::upload, static_cast<std::uint32_t>(at), std::move(*block), {}});
  return {};
}

Result<> send_blocks(FspSession& session, LocalFile& file, const TransferManner& manner, Progress& progress) {
  const TransferBounds bounds(manner);
  const std::size_t most = fsp_payload(session, manner);
  std::uint64_t sent = 0, done = 0;
  do {
    if (auto within = bounds.check(); !within) return within;
    // The first one alone: with it the server begins the file anew.
    while (session.has_room() && (sent == 0 || (sent < file.size() && done > 0))) {
      const auto size = std::min<std::uint64_t>(most, file.size() - sent);
      if (auto begun = send_block(session, file, sent, size); !begun) return begun;
      sent += size;
      if (size == 0) break;
    }
    const auto answer = session.next();
    if (!answer) return std::unexpected(answer.error());
    done += std::min<std::uint64_t>(most, file.size() - answer->position);
    progress.show(done, file.size());
  } while (done < file.size());
  return {};
}

Result<> install(FspSession& session, const LocalFile& file, const std::string& path) {
  auto request = session.about(FspCommand::install, path, 4);
  request.extra.resize(4);
  store32(static_cast<std::uint32_t>(file.modified()), request.extra.data());
  if (const auto answer = session.ask(std::move(request)); !answer) return std::unexpected(answer.error());
  const auto answer = session.ask(session.about(FspCommand::stat, path));
  if (!answer) return std::unexpected(answer.error());
  const auto stat = parse_fsp_stat(answer->data);
  // A server may take files into a tree that it does not serve.
  if (stat && stat->type == FspType::end) return {};
  if (!stat || stat->type != FspType::file || stat->size != file.size())
    return error("the server has not got the file as it was sent");
  return {};
}

}  // namespace

Result<TransferReport> fsp_put(FspSession& session, const std::string& input, const FileUrl& url,
                               const TransferManner& manner, Progress& progress) {
  auto file = LocalFile::open(input);
  if (!file) return std::unexpected(file.error());
  if (file->size() > UINT32_MAX) return error(input + " is longer than 4 GiB, which fsp has no numbers for");
  if (auto done = cancel_old(session); !done) return std::unexpected(done.error());
  if (auto sent = send_blocks(session, *file, manner, progress); !sent) return std::unexpected(sent.error());
  if (auto installed = install(session, *file, url.path); !installed) return std::unexpected(installed.error());
  const auto& counts = session.counts();
  TransferReport report{.bytes = file->size(), .datagrams = counts.requests + counts.resent, .resent = counts.resent};
  if (auto digest = file->digest(); digest) report.digest = *digest;
  return report;
}

}  // namespace superd
