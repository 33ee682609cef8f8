#include "superd/designs/brood.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

// A program that ends sooner was none for its client.
constexpr Seconds at_once{1};

// What a shell says of a command that it cannot run.
bool could_not_run(int status) noexcept {
  return WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127);
}

}  // namespace

// All of its process group: a program may be a script. The pidfd is of whoever we mean, even if its number is another's by now.
void Brood::signal_to(pid_t process, const Child& child, int number) noexcept {
  if (child.pidfd.is_open()) (void)syscall(SYS_pidfd_send_signal, child.pidfd.fd(), number, nullptr, 0);
  (void)::kill(-process, number);
}

void Brood::tell_to_end(pid_t process, Child& child, Time now) noexcept {
  signal_to(process, child, child.was_told ? SIGKILL : SIGTERM);
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
    if (child.is_program())
      signal_to(process, child, SIGKILL);
    else
      (void)::kill(process, SIGKILL);
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
  if (child.is_program()) {
    // Those of its group who did not listen; their number is not given to others while one of them is there.
    if (child.was_told) (void)::kill(-process, SIGKILL);
    const auto how = note_end_of_program(child, process, status, used);
    EndOfChild* const end = child.end;
    children_.erase(found);
    if (end) end->child_ended(how);
    return;
  }
  const bool went_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!went_well && child.was_cut) child.hosted->counters.cut.add();
  if (!went_well && !child.was_cut) note_crash(child, process, status);
  if (!went_well) child.hosted->board.workers().release_process(process);
  children_.erase(found);
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
  if (!hosted.board.log().may_log_conversation(hosted.name, hosted.counters.unlogged, Clock::now())) return;
  log_event(Severity::error, "conversation crashed",
            {
                {"service", hosted.name          },
                {"client",  text_of_client(child)},
                {"process", process              },
                {"why",     text_of_end(status)  }
  });
} catch (const std::bad_alloc&) {
}

ProgramEnd Brood::note_end_of_program(const Child& child, pid_t process, int status, const rusage& used) noexcept {
  auto& hosted = *child.hosted;
  auto& counters = hosted.counters;
  const auto lasted = Clock::now() - child.begun;
  hosted.board.served_in().add(lasted);
  hosted.board.programs().add(status, used);
  const bool crashed = WIFSIGNALED(status) && !child.was_cut;
  const bool served = !crashed && !child.was_cut && WEXITSTATUS(status) == 0;
  (crashed ? counters.crashed : child.was_cut ? counters.cut : served ? counters.served : counters.failed).add();
  if (crashed || hosted.board.log().wants(!served)) log_end_of_program(child, process, status, used, lasted);
  const bool is_bad = crashed || could_not_run(status);
  return {.went_well = WIFEXITED(status) && WEXITSTATUS(status) == 0,
          .died_at_once = is_bad && !child.was_cut && lasted < at_once};
}

void Brood::log_end_of_program(const Child& child, pid_t process, int status, const rusage& used,
                               Clock::duration lasted) noexcept try {
  auto& hosted = *child.hosted;
  if (!hosted.board.log().may_log_conversation(hosted.name, hosted.counters.unlogged, child.begun + lasted)) return;
  const auto taken_in = child.seat.taken_in() == Time{} ? child.begun : child.seat.taken_in();
  const bool crashed = WIFSIGNALED(status) && !child.was_cut;
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
