#include "superd/lab/trace_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include "superd/lab/live_text.h"
#include "superd/lab/trace_text.h"
#include "superd/lab/waits.h"

namespace superd {
namespace {

constexpr int done = 0, failed = 1, misuse = 100, try_again = 111;
constexpr std::uint16_t http = 80, first_udp_port = 33434;

int complain(const Error& failure) {
  fmt::print(stderr, "superctl: trace: {}\n", failure.what);
  if (failure.code == EINVAL) return misuse;
  return failure.code == EAGAIN ? try_again : failed;
}

std::uint16_t port_for(const TraceRequest& request) {
  if (request.port != 0) return request.port;
  return request.protocol == TraceProtocol::tcp ? http : first_udp_port;
}

}  // namespace

int trace(const TraceRequest& request) {
  const auto targets = PingTargets::of({&request.target, 1}, request.family);
  if (!targets) return complain(targets.error());
  if (targets->size() != 1) {
    fmt::print(stderr, "superctl: trace: {} is a network: name one host\n", request.target);
    return misuse;
  }
  const TraceTarget target{
      .address = (*targets)[0], .scope = targets->scope_of(0), .protocol = request.protocol, .port = port_for(request)};
  auto socket = TraceSocket::open(target);
  if (!socket) return complain(socket.error());
  const auto* const how = (*socket)->how();
  if (!request.is_json)
    fmt::print(stderr, "superctl: trace: {} by {}, at most {} hops\n", targets->name_of(0), how,
               request.manner.most_hops);

  end_waits_by_signals();
  Tracer tracer(target, request.manner, std::move(*socket));
  LiveText live(request.is_json);
  tracer.run([&](const Tracer& so_far, Time now) {
    if (live.is_due(now)) live.show(trace_text(so_far, {}), now);
  });
  live.clear();
  const auto names = request.has_names ? names_of(tracer) : HopNames{};
  fmt::print("{}", request.is_json ? trace_json(tracer, names, request.target, how) : trace_text(tracer, names));
  return tracer.has_reached() ? done : failed;
}

}  // namespace superd
