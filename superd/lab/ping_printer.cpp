#include "superd/lab/ping_printer.h"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "superd/base/units.h"
#include "superd/lab/ping_text.h"

namespace superd {
namespace {

/// Written at once: 32 KiB are some thousand lines, and less than a pipe holds.
constexpr std::size_t flushed_at = 32 * 1024;

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

}  // namespace

PingPrinter::PingPrinter(const PingTargets& targets, const PingManner& manner, Lines lines, bool is_live)
    : targets_(targets),
      manner_(manner),
      lines_(lines),
      live_(!is_live),
      told_(lines == Lines::of_targets ? targets.size() : 0) {}

void PingPrinter::begin_line(Probe probe) {
  if (text_.size() >= flushed_at) flush();
  text_ += targets_.name_of(probe.index);
  if (lines_ == Lines::of_probes) fmt::format_to(std::back_inserter(text_), " #{}", probe.round + 1);
}

void PingPrinter::on_reply(Probe probe, const EchoArrival& arrival, Clock::duration time, bool is_duplicate) {
  if (lines_ == Lines::none) return;
  if (lines_ == Lines::of_targets) {
    if (told_[probe.index]) return;
    told_[probe.index] = true;
  }
  begin_line(probe);
  fmt::format_to(std::back_inserter(text_), " {:.3f} ms", milliseconds(time));
  if (arrival.ttl >= 0 && lines_ == Lines::of_probes)
    fmt::format_to(std::back_inserter(text_), ", ttl {}", arrival.ttl);
  text_ += is_duplicate ? ", a duplicate\n" : "\n";
}

void PingPrinter::on_failure(Probe probe, const EchoArrival& arrival) {
  if (lines_ != Lines::of_probes) return;
  begin_line(probe);
  text_ += " " + failure_text(arrival);
  if (arrival.local_error == 0) text_ += ", by " + text_of(arrival.from);
  text_ += "\n";
}

void PingPrinter::on_silence(Probe probe) {
  if (lines_ != Lines::of_probes) return;
  begin_line(probe);
  text_ += " no answer within " + format_duration(manner_.timeout) + "\n";
}

void PingPrinter::on_moment(const PingTally& tally, Time now) {
  if (!text_.empty()) flush();
  if (targets_.size() == 1 || !live_.is_due(now)) return;
  live_.show(fmt::format("{} targets: {} sent, {} answered, {} unreachable", targets_.size(), tally.sent,
                         tally.answered, tally.unreachable),
             now);
}

void PingPrinter::flush() {
  live_.clear();
  if (text_.empty()) return;
  std::fwrite(text_.data(), 1, text_.size(), stdout);
  std::fflush(stdout);
  text_.clear();
}

}  // namespace superd
