#include "superd/serve/conversation_line.h"

#include <unistd.h>

#include <chrono>
#include <new>
#include <string>
#include <vector>

#include "superd/base/log.h"
#include "superd/net/client_text.h"

namespace superd {

namespace {

std::int64_t micros(Clock::duration duration) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// A unix socket's peer has no name worth one, and one that is gone has none any more: then it is whom it was counted for.
std::string text_of_client(const Connection& client, const Seat& seat) {
  const auto peer = client.peer();
  return peer.is_v4() || peer.is_v6() ? peer.text() : text_of(seat.client());
}

std::string text_of_door(const Endpoint& local) { return (local.is_unix() ? "unix/" : "tcp/") + local.text(); }

// Both kinds of lines have these fields first, in this order.
struct Line {
  const HostedService& hosted;
  std::string client, on;
  std::string_view end;
  Clock::duration took;
  std::vector<LogField> more{};

  void log(Time now, std::string_view why = {}) const {
    if (!hosted.board.log().may_log_conversation(hosted.name, hosted.counters.unlogged, now)) return;
    std::vector<LogField> fields{
        {"service", hosted.name },
        {"client",  client      },
        {"on",      on          },
        {"process", getpid()    },
        {"end",     end         },
        {"us",      micros(took)}
    };
    fields.insert(fields.end(), more.begin(), more.end());
    const bool failed = !why.empty();
    if (failed) fields.emplace_back("why", why);
    log_event(failed ? Severity::error : Severity::info, failed ? "conversation failed" : "conversation ended", fields);
  }
};

Line line_of(const Connection& client, const Seat& seat, Time now, std::string_view end) {
  const Time taken_in = seat.taken_in() == Time{} ? client.began() : seat.taken_in();
  return {
      .hosted = client.hosted(),
      .client = text_of_client(client, seat),
      .on = text_of_door(client.local()),
      .end = end,
      .took = now - client.began(),
      .more = {
               {"waited_us", micros(client.began() - taken_in)}, {"in", client.bytes_in()}, {"out", client.bytes_out()}}
  };
}

// What a datagram was answered with is the batch's, and is counted when that leaves.
Line line_of(const Datagram& request, Time begun, Time now, std::string_view end) {
  return {.hosted = request.hosted(),
          .client = request.from().text(),
          .on = (request.is_packet() ? "raw/" : "udp/") + request.to().text(),
          .end = end,
          .took = now - begun,
          .more = {{"in", request.bytes().size()}}};
}

}  // namespace

void log_conversation(const Connection& client, const Seat& seat, Time now) {
  line_of(client, seat, now, name_of(client.end())).log(now);
}

void log_conversation(const Datagram& request, Time begun, Time now) {
  line_of(request, begun, now, "served").log(now);
}

// Without memory for the words there is no line; it is counted all the same.
void log_failure(const Connection& client, const Seat& seat, Time now, std::string_view why) noexcept try {
  line_of(client, seat, now, "failed").log(now, why);
} catch (const std::bad_alloc&) {
}

void log_failure(const Datagram& request, Time begun, Time now, std::string_view why) noexcept try {
  line_of(request, begun, now, "failed").log(now, why);
} catch (const std::bad_alloc&) {
}

bool is_failure(End end) noexcept {
  switch (end) {
    case End::not_yet:
    case End::finished:
    case End::reset: return false;
    case End::idle:
    case End::slow:
    case End::too_long:
    case End::drained:
    case End::no_room: break;
  }
  return true;
}

}  // namespace superd
