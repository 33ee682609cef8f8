#include "superd/designs/brood.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "superd/base/log.h"
#include "superd/net/client_text.h"

namespace superd {

namespace {

// From the word to a program that it shall end until it is killed.
constexpr Seconds grace{1};

Millis millis(const timeval& time) { return Seconds(time.tv_sec) + Millis(time.tv_usec / 1000); }

std::int64_t micros(Clock::duration duration) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// Processes may be had again later; a program that is not there will not be.
bool may_come_back(int code) noexcept { return code == EAGAIN || code == ENOMEM || code == EMFILE || code == ENFILE; }

}  // namespace

Brood::Born Brood::launch(HostedService& hosted, const Streams& streams, std::span<const std::string> environment,
                          Seat& seat, EndOfChild* end) noexcept {
  const Time now = Clock::now(), taken_in = seat.taken_in();
  int code = 0;
  const auto born = keep(hosted, seat, [&](Child& child) -> pid_t {
    child.begun = now;
    child.client = peer_of(streams[0]);
    // Who waits for clients by itself is no conversation, and may go on as long as it likes.
    child.due = hosted.program->waits ? never : now + hosted.limits->total;
    child.end = end;
    const auto started = superd::launch(hosted.program->launch, streams, environment);
    if (started) return *started;
    code = started.error().code;
    if (!may_come_back(code))
      log_event(Severity::error, "program not started",
                {
                    {"service", hosted.name         },
                    {"why",     started.error().what}
      });
    return -1;
  });
  if (born == Born::alive) hosted.board.waited().add(taken_in == Time{} ? Clock::duration{} : now - taken_in);
  if (born == Born::alive || code == 0 || may_come_back(code)) return born;
  hosted.counters.failed.add();
  seat.leave();
  return Born::not_at_all;
}

void Brood::tell_to_end(pid_t process, Child& child, Time now) noexcept {
  // All of its session: a program may be a script.
  ::kill(-process, child.was_told ? SIGKILL : SIGTERM);
  child.due = child.was_told ? never : now + grace;
  child.was_told = true;
}

void Brood::cut() noexcept {
  const Time now = Clock::now();
  for (auto& [process, child] : children_) {
    if (!child.is_program()) ::kill(process, SIGKILL);
    if (child.is_program() && !child.was_told) tell_to_end(process, child, now);
    child.was_cut = true;
  }
  next_due_ = now;
}

void Brood::kill() noexcept {
  for (auto& [process, child] : children_) {
    ::kill(child.is_program() ? -process : process, SIGKILL);
    child.was_cut = true;
  }
}

Time Brood::tend(Time now) noexcept {
  if (now < next_due_) return next_due_;
  next_due_ = never;
  for (auto& [process, child] : children_) {
    if (child.due <= now) {
      if (!child.was_told) child.hosted->counters.timed_out_total.add();
      child.was_cut = true;
      tell_to_end(process, child, now);
    }
    next_due_ = std::min(next_due_, child.due);
  }
  return next_due_;
}

void Brood::ended(pid_t process, int status, const rusage& used) noexcept {
  const auto found = children_.find(process);
  if (found == children_.end()) return;
  auto& child = found->second;
  const bool went_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  auto& counters = child.hosted->counters;
  if (child.is_program())
    note_end_of_program(child, process, status, used);
  else if (!went_well && !child.was_cut)
    note_crash(child, process, status);
  else if (!went_well)
    counters.cut.add();
  if (!went_well && !child.is_program()) child.hosted->board.workers().release_process(process);
  EndOfChild* end = child.end;
  children_.erase(found);
  if (end) end->child_ended();
}

Endpoint Brood::peer_of(int connection) noexcept {
  Endpoint peer;
  socklen_t size = Endpoint::capacity;
  if (getpeername(connection, peer.address(), &size) == 0) peer.set_size(size);
  return peer.unmapped();
}

std::string Brood::text_of_client(const Child& child) {
  const bool has_address = child.client.is_v4() || child.client.is_v6();
  return has_address ? child.client.text() : text_of(child.seat.client());
}

// Without memory for the words there is no line; all is counted before. So below.
void Brood::note_crash(const Child& child, pid_t process, int status) noexcept try {
  auto& hosted = *child.hosted;
  hosted.counters.crashed.add();
  if (!hosted.board.log().may_log(hosted.name, hosted.counters.unlogged, Clock::now())) return;
  log_event(Severity::error, "conversation crashed",
            {
                {"service", hosted.name          },
                {"client",  text_of_client(child)},
                {"process", process              },
                {"why",     text_of_end(status)  }
  });
} catch (const std::bad_alloc&) {
}

void Brood::note_end_of_program(const Child& child, pid_t process, int status, const rusage& used) noexcept try {
  auto& hosted = *child.hosted;
  auto& counters = hosted.counters;
  const Time now = Clock::now();
  const auto lasted = now - child.begun;
  hosted.board.served_in().add(lasted);
  const bool crashed = WIFSIGNALED(status) && !child.was_cut;
  const bool served = !crashed && !child.was_cut && WEXITSTATUS(status) == 0;
  (crashed ? counters.crashed : child.was_cut ? counters.cut : served ? counters.served : counters.failed).add();
  if (!crashed && !hosted.board.log().wants(!served)) return;
  if (!hosted.board.log().may_log(hosted.name, hosted.counters.unlogged, now)) return;
  const auto taken_in = child.seat.taken_in() == Time{} ? child.begun : child.seat.taken_in();
  log_event(crashed ? Severity::error : Severity::info, "program ended",
            {
                {"service",   hosted.name                                            },
                {"client",    text_of_client(child)                                  },
                {"process",   process                                                },
                {"end",       text_of_end(status)                                    },
                {"us",        micros(lasted)                                         },
                {"waited_us", micros(child.begun - taken_in)                         },
                {"cpu_ms",    (millis(used.ru_utime) + millis(used.ru_stime)).count()},
                {"most_kb",   used.ru_maxrss                                         }
  });
} catch (const std::bad_alloc&) {
}

}  // namespace superd
