#include "superd/lab/ping_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include "superd/lab/ping_printer.h"
#include "superd/lab/ping_text.h"
#include "superd/lab/waits.h"

namespace superd {
namespace {

constexpr int done = 0, failed = 1, misuse = 100, try_again = 111;

int complain(const Error& failure) {
  fmt::print(stderr, "superctl: ping: {}\n", failure.what);
  if (failure.code == EINVAL) return misuse;
  return failure.code == EAGAIN ? try_again : failed;
}

const char* socket_name(std::optional<bool> is_raw) { return !is_raw ? nullptr : *is_raw ? "raw" : "ping"; }

void tell_socket(const char* family, const char* kind) {
  if (kind) fmt::print(stderr, "superctl: ping: {} over a {} socket\n", family, kind);
}

PingPrinter::Lines lines_for(const PingRequest& request, const PingTargets& targets) {
  using enum PingPrinter::Lines;
  if (request.is_quiet || request.is_json) return none;
  return targets.has_network() ? of_targets : of_probes;
}

}  // namespace

int ping(const PingRequest& request) {
  const auto targets = PingTargets::of(request.targets, request.family);
  if (!targets) return complain(targets.error());
  auto manner = request.manner;
  manner.count = request.count.value_or(targets->has_network() ? 1 : 5);
  auto pinger = Pinger::open(*targets, manner);
  if (!pinger) return complain(pinger.error());
  const auto* const v4 = socket_name(pinger->is_raw(IcmpVersion::v4));
  const auto* const v6 = socket_name(pinger->is_raw(IcmpVersion::v6));
  if (!request.is_quiet && !request.is_json) {
    tell_socket("IPv4", v4);
    tell_socket("IPv6", v6);
  }

  end_waits_by_signals();
  PingPrinter printer(*targets, manner, lines_for(request, *targets), !request.is_quiet && !request.is_json);
  const auto began = Clock::now();
  pinger->run(printer);
  const PingOutcome outcome{.targets = *targets,
                            .tally = pinger->tally(),
                            .under_way = was_interrupted() ? pinger->under_way() : 0,
                            .took = Clock::now() - began,
                            .socket_v4 = v4,
                            .socket_v6 = v6};
  printer.flush();
  if (request.is_json)
    write_json(outcome);
  else
    fmt::print("{}", summary_text(outcome));
  return outcome.tally.answered == targets->size() ? done : failed;
}

}  // namespace superd
