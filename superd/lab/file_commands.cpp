#include "superd/lab/file_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include "superd/base/words.h"
#include "superd/lab/fsp_transfer.h"
#include "superd/lab/tftp_transfer.h"

namespace superd {

namespace {

constexpr int done = 0, failed = 1, misuse = 100, try_again = 111;

int complain(std::string_view doing, const Error& failure) {
  fmt::print(stderr, "superctl: {}{}\n", doing.empty() ? "" : fmt::format("{}: ", doing), failure.what);
  return may_pass(failure) ? try_again : failed;
}

int misused(const Error& failure) {
  fmt::print(stderr, "superctl: {}\n", failure.what);
  return misuse;
}

/// At the host's first address where somebody listens.
template <class Report, class Work>
Result<Report> at_host(const FileUrl& url, Work work) {
  const auto servers = look_up(url.host, url.port);
  if (!servers) return std::unexpected(servers.error());
  Result<Report> outcome = error("no address");
  for (const auto& server : *servers) {
    outcome = work(server);
    const bool is_elsewhere =
        !outcome && (outcome.error().code == ECONNREFUSED || outcome.error().code == ENETUNREACH ||
                     outcome.error().code == EADDRNOTAVAIL);
    if (!is_elsewhere) break;
  }
  return outcome;
}

template <class Report, class Work>
Result<Report> in_session(const Endpoint& server, const FileUrl& url, const TransferManner& manner, Work work) {
  auto remote = Remote::connected(server);
  if (!remote) return std::unexpected(remote.error());
  FspSession session(std::move(*remote),
                     {.password = url.password, .patience = manner.patience, .window = manner.window});
  auto outcome = work(session);
  session.leave();
  return outcome;
}

std::string summary(const TransferReport& report, Clock::duration time) {
  const double seconds = std::max(std::chrono::duration<double>(time).count(), 0.001);
  const auto moved = static_cast<double>(report.bytes - std::min(report.bytes, report.resumed));
  auto text =
      fmt::format("{} bytes in {:.2f} s, {}/s, {} datagrams, {} of them again", report.bytes, seconds,
                  size_for_people(static_cast<std::uint64_t>(moved / seconds)), report.datagrams, report.resent);
  if (report.resumed > 0) text += fmt::format("; {} were here already", size_for_people(report.resumed));
  return text;
}

void tell_of_partial(const std::string& output, const FileUrl& url) {
  if (output == "-") return;
  if (url.scheme == FileUrl::Scheme::fsp)
    fmt::print(stderr, "superctl: what has arrived is kept beside {}: the same command goes on from there\n",
               escaped(output));
  else
    fmt::print(stderr, "superctl: tftp cannot go on where it was: the same command begins again\n");
}

std::string line_of(const FspEntry& entry) {
  const auto is_directory = entry.stat.type == FspType::directory;
  const auto time = fmt::gmtime(static_cast<std::time_t>(entry.stat.time));
  return fmt::format("{} {:>10} {:%Y-%m-%d %H:%M} {}{}", is_directory ? 'd' : '-', entry.stat.size, time,
                     escaped(entry.name), is_directory ? "/" : "");
}

}  // namespace

int get_file(const std::string& text, std::string output, const TransferManner& manner) {
  const auto url = FileUrl::parse(text);
  if (!url) return misused(url.error());
  if (output.empty()) output = url->last_part();
  if (output.empty() || output == "." || output == "..")
    return misused({url->text() + " does not say how the file shall be called here: --output FILE"});
  end_waits_by_signals();
  Progress progress(escaped(output), manner.is_quiet);
  const auto report = at_host<TransferReport>(*url, [&](const Endpoint& server) -> Result<TransferReport> {
    if (url->scheme == FileUrl::Scheme::tftp) return tftp_get(server, *url, output, manner, progress);
    return in_session<TransferReport>(
        server, *url, manner, [&](FspSession& session) { return fsp_get(session, *url, output, manner, progress); });
  });
  progress.clear();
  if (!report) {
    const int code = complain("get " + url->text(), report.error());
    if (was_interrupted()) tell_of_partial(output, *url);
    return code;
  }
  progress.tell(fmt::format("{} -> {}: {}", url->text(), escaped(output), summary(*report, progress.duration())));
  // As sha256sum(1) writes and checks it.
  if (!manner.is_quiet) fmt::print(output == "-" ? stderr : stdout, "{}  {}\n", report->digest, escaped(output));
  return done;
}

int put_file(const std::string& input, const std::string& text, const TransferManner& manner) {
  auto url = FileUrl::parse(text);
  if (!url) return misused(url.error());
  if (url->last_part().empty()) url->path += input.substr(input.rfind('/') + 1);
  end_waits_by_signals();
  Progress progress(escaped(input), manner.is_quiet);
  const auto report = at_host<TransferReport>(*url, [&](const Endpoint& server) -> Result<TransferReport> {
    if (url->scheme == FileUrl::Scheme::tftp) return tftp_put(server, input, *url, manner, progress);
    return in_session<TransferReport>(
        server, *url, manner, [&](FspSession& session) { return fsp_put(session, input, *url, manner, progress); });
  });
  progress.clear();
  if (!report) return complain("put " + url->text(), report.error());
  progress.tell(fmt::format("{} -> {}: {}", escaped(input), url->text(), summary(*report, progress.duration())));
  if (!manner.is_quiet) fmt::print("{}  {}\n", report->digest, escaped(input));
  return done;
}

int list_files(const std::string& text, const TransferManner& manner) {
  const auto url = FileUrl::parse(text);
  if (!url) return misused(url.error());
  if (url->scheme != FileUrl::Scheme::fsp) return misused({"tftp cannot list what there is: ls needs fsp://HOST/PATH"});
  end_waits_by_signals();
  using Entries = std::vector<FspEntry>;
  const auto entries = at_host<Entries>(*url, [&](const Endpoint& server) {
    return in_session<Entries>(server, *url, manner,
                               [&](FspSession& session) { return fsp_list(session, *url, manner); });
  });
  if (!entries) return complain("ls " + url->text(), entries.error());
  for (const auto& entry : *entries) fmt::print("{}\n", line_of(entry));
  return done;
}

}  // namespace superd
