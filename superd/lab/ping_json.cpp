#include <fmt/format.h>

#include <cstdio>

#include "superd/lab/json_text.h"
#include "superd/lab/ping_text.h"

namespace superd {
namespace {

std::string times_of(const RoundTrips& times) {
  return fmt::format(R"("min_ms": {:.6f}, "avg_ms": {:.6f}, "max_ms": {:.6f}, "stddev_ms": {:.6f})", times.least(),
                     times.mean(), times.most(), times.deviation());
}

void write_sockets(const PingOutcome& outcome) {
  fmt::print("  \"socket\": {{");
  const char* between = "";
  for (const auto& [family, kind] : {std::pair("v4", outcome.socket_v4), std::pair("v6", outcome.socket_v6)}) {
    if (!kind) continue;
    fmt::print("{}\"{}\": \"{}\"", between, family, kind);
    between = ", ";
  }
  fmt::print("}},\n");
}

void write_histogram(const RoundTripBars& bars) {
  fmt::print("  \"histogram\": [");
  const char* between = "";
  for (std::size_t i = 0; i < RoundTripBars::size; ++i) {
    if (bars[i] == 0) continue;
    const auto upper = std::chrono::duration<double, std::milli>(RoundTripBars::upper(i)).count();
    fmt::print("{}{{\"up_to_ms\": {:g}, \"count\": {}}}", between, upper, bars[i]);
    between = ", ";
  }
  fmt::print("],\n");
}

void write_failures(const PingTally& tally) {
  fmt::print("  \"failures\": [");
  const char* between = "";
  for (const auto& teller : tally.tellers) {
    fmt::print("{}{{\"what\": {}, \"by\": {}, \"count\": {}}}", between, json_string(teller_text(teller)),
               teller.local_error == 0 ? json_string(text_of(teller.from)) : "null", teller.count);
    between = ", ";
  }
  fmt::print("],\n");
}

void write_hosts(const PingOutcome& outcome) {
  fmt::print("  \"hosts\": [");
  for (std::uint32_t i = 0; i < outcome.targets.size(); ++i) {
    const auto target = outcome.tally[i];
    fmt::print("{}    {{\"target\": {}, \"received\": {}, \"failures\": {}", i == 0 ? "\n" : ",\n",
               json_string(outcome.targets.name_of(i)), target.received, target.failures);
    if (const auto* const times = outcome.tally.times_of(i); times && target.received > 0)
      fmt::print(", {}", times_of(*times));
    fmt::print("}}");
  }
  fmt::print("\n  ]\n");
}

}  // namespace

void write_json(const PingOutcome& outcome) {
  const auto& tally = outcome.tally;
  fmt::print("{{\n");
  write_sockets(outcome);
  fmt::print("  \"targets\": {}, \"answered\": {}, \"silent\": {}, \"unreachable\": {},\n", outcome.targets.size(),
             tally.answered, outcome.silent(), tally.unreachable);
  fmt::print("  \"sent\": {}, \"received\": {}, \"lost\": {}, \"under_way\": {},\n", tally.sent, tally.received,
             outcome.lost(), outcome.under_way);
  fmt::print("  \"duplicates\": {}, \"late\": {}, \"damaged\": {}, \"strange\": {},\n", tally.duplicates, tally.late,
             tally.damaged, tally.strange);
  fmt::print("  \"seconds\": {:.6f}, {},\n", std::chrono::duration<double>(outcome.took).count(),
             times_of(tally.times));
  write_histogram(tally.bars);
  write_failures(tally);
  write_hosts(outcome);
  fmt::print("}}\n");
}

}  // namespace superd
