#include "superd/lab/ping_text.h"

#include <fmt/format.h>

#include <iterator>

#include "superd/net/icmp_names.h"

namespace superd {
namespace {

constexpr std::uint32_t rows_of_table = 64;

double percent(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

std::string times_text(const RoundTrips& times) {
  return fmt::format("min/avg/max/stddev {:.3f}/{:.3f}/{:.3f}/{:.3f} ms", times.least(), times.mean(), times.most(),
                     times.deviation());
}

void add_times(const PingTally& tally, std::string& text) {
  if (tally.received > 0) text += times_text(tally.times) + "\n";
}

void add_histogram(const RoundTripBars& bars, std::string& text) {
  std::size_t first = RoundTripBars::size, last = 0;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < RoundTripBars::size; ++i) {
    if (bars[i] == 0) continue;
    first = std::min(first, i);
    last = i;
    most = std::max(most, bars[i]);
  }
  constexpr std::uint64_t width = 40;
  for (auto i = first; i <= last && first < RoundTripBars::size; ++i) {
    const auto length = (bars[i] * width + most - 1) / most;
    fmt::format_to(std::back_inserter(text), "  up to {:>8} ms {:>8} {}\n",
                   fmt::format("{:g}", milliseconds(RoundTripBars::upper(i))), bars[i], std::string(length, '#'));
  }
}

/// What is not always there, and worth a word when it is.
void add_oddities(const PingOutcome& outcome, std::string& text) {
  const auto& tally = outcome.tally;
  const std::pair<std::uint64_t, const char*> oddities[] = {
      {tally.duplicates,  "duplicates"                                         },
      {tally.late,        "of the answers came after the timeout"              },
      {tally.damaged,     "with a wrong checksum"                              },
      {tally.strange,     "not ours, or from another address than the target's"},
      {outcome.under_way, "under way at the end"                               },
  };
  for (const auto& [count, what] : oddities)
    if (count > 0) fmt::format_to(std::back_inserter(text), "{} {}\n", count, what);
  for (const auto& teller : tally.tellers)
    fmt::format_to(std::back_inserter(text), "{}: {}\n", teller_text(teller), teller.count);
  if (tally.untold > 0) fmt::format_to(std::back_inserter(text), "other failures: {}\n", tally.untold);
}

std::string counts_text(std::uint64_t sent, std::uint64_t received, std::uint64_t lost) {
  return fmt::format("{} sent, {} received, {:.3g} % lost", sent, received, percent(lost, sent));
}

void add_table(const PingOutcome& outcome, std::string& text) {
  for (std::uint32_t i = 0; i < outcome.targets.size(); ++i) {
    const auto target = outcome.tally[i];
    const auto* const times = outcome.tally.times_of(i);
    fmt::format_to(std::back_inserter(text), "{}: {} received", outcome.targets.name_of(i), target.received);
    if (target.failures > 0) fmt::format_to(std::back_inserter(text), ", {} failed", target.failures);
    if (times && target.received > 0) text += ", " + times_text(*times);
    text += "\n";
  }
}

}  // namespace

std::string failure_text(const EchoArrival& failure) {
  if (failure.local_error != 0) return "this host: " + errno_text(failure.local_error);
  const auto version = failure.target.is_v4() ? IcmpVersion::v4 : IcmpVersion::v6;
  auto text = icmp_name(version, failure.type, failure.code);
  if (failure.mtu > 0) text += fmt::format(", {} bytes fit", failure.mtu);
  return text;
}

std::string teller_text(const PingTally::Teller& teller) {
  if (teller.local_error != 0) return "this host: " + errno_text(teller.local_error);
  const auto version = teller.is_v6 ? IcmpVersion::v6 : IcmpVersion::v4;
  return icmp_name(version, teller.type, teller.code) + ", by " + text_of(teller.from);
}

std::string summary_text(const PingOutcome& outcome) {
  const auto& tally = outcome.tally;
  std::string text;
  if (outcome.targets.size() == 1) {
    text = outcome.targets.name_of(0) + ": " + counts_text(tally.sent, tally.received, outcome.lost()) + "\n";
    add_times(tally, text);
    add_histogram(tally.bars, text);
    add_oddities(outcome, text);
    return text;
  }
  if (!outcome.targets.has_network() && outcome.targets.size() <= rows_of_table) add_table(outcome, text);
  const double seconds = std::chrono::duration<double>(outcome.took).count();
  fmt::format_to(std::back_inserter(text), "{} targets: {} answered, {} silent, {} unreachable", outcome.targets.size(),
                 tally.answered, outcome.silent(), tally.unreachable);
  if (outcome.asked() < outcome.targets.size())
    fmt::format_to(std::back_inserter(text), ", {} not asked", outcome.targets.size() - outcome.asked());
  fmt::format_to(std::back_inserter(text), "\n{} in {:.2f} s, {:.0f} answers/s\n",
                 counts_text(tally.sent, tally.received, outcome.lost()), seconds,
                 static_cast<double>(tally.received) / std::max(seconds, 0.001));
  add_times(tally, text);
  add_oddities(outcome, text);
  return text;
}

}  // namespace superd
