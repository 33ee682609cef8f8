#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <new>
#include <span>
#include <string>

#include "superd/base/process.h"
#include "superd/base/spawn.h"
#include "superd/net/socket.h"
#include "superd/serve/hosted_service.h"
#include "superd/serve/program_row.h"

namespace superd {

/// How a program ended.
struct ProgramEnd {
  bool went_well;  ///< exit code 0
  /// It never did anything: a signal that is none of ours, or what shells say of a command that cannot be run (exit code
  /// 126 or 127), within a second.
  bool died_at_once;
};

/// Hears of the end of a program.
class EndOfChild {
 public:
  virtual ~EndOfChild() = default;
  virtual void child_ended(const ProgramEnd&) noexcept = 0;
};

/// The children of conversations under way, forked or executed, each with its place in the level, which is held here:
/// whatever becomes of a child, the place comes back. One thread, the only one of its process.
class Brood {
 public:
  enum class Born : std::uint8_t { alive, later, not_at_all };

  /// Serves in a process of its own, which ends when `serve` returns. `later`: there is none to be had, and nothing was
  /// taken.
  template <class Serve>
  Born fork(HostedService& hosted, int fd, Seat& seat, Serve serve) noexcept {
    return keep(hosted, seat, [&](Child& child) -> pid_t {
      child.client = peer_of(fd);
      const pid_t process = fork_child();
      if (process == 0) live(hosted, fd, serve);
      return process;
    });
  }

  /// Runs the service's program by `start`, a function that returns a Result<Spawned>. `not_at_all`: it cannot be run;
  /// the seat was given back, and `error` tells why. `connection`: its client's, or -1. `end` hears of its end, and must last until then.
  template <class Start>
  Born launch(HostedService& hosted, int connection, Seat& seat, EndOfChild& end, Error& error, Start start) noexcept {
    const Time now = Clock::now(), taken_in = seat.taken_in();
    const auto born = keep(hosted, seat, [&](Child& child) -> pid_t {
      child.begun = now;
      child.client = peer_of(connection);
      // Who waits for clients by itself is no conversation, and may go on as long as it likes.
      child.due = hosted.program->waits ? never : now + hosted.limits->total;
      child.end = &end;
      const auto started = start();
      if (!started) {
        error = started.error();
        return -1;
      }
      child.pidfd.reset(started->pidfd);
      child.row = ProgramRow(hosted, started->process, seat.client(), now);
      return started->process;
    });
    if (born == Born::alive) hosted.board.waited().add(taken_in == Time{} ? Clock::duration{} : now - taken_in);
    if (born == Born::alive || error.code == 0 || may_come_back(error.code)) return born;
    hosted.counters.failed.add();
    seat.leave();
    return Born::not_at_all;
  }

  /// Ends all: forked ones at once; programs are told to (SIGTERM), and killed after a second by tend().
  void cut() noexcept;
  /// Ends all at once.
  void kill() noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return children_.empty(); }
  void ended(pid_t process, int status, const rusage& used) noexcept;

  /// Ends programs that have run for their service's Limits::total, which no conversation of theirs minds. Returns when
  /// the next one is due.
  Time tend(Time now) noexcept;

 private:
  struct Child {
    HostedService* hosted;
    Seat seat;
    bool was_cut = false;
    bool was_told = false;  ///< to end
    Time begun{};
    Time due = never;
    EndOfChild* end = nullptr;
    Endpoint client{};  ///< unspecified where it has no connection of its own
    Socket pidfd{};     ///< of a program, where the kernel gives one
    ProgramRow row{};   ///< of a program

    [[nodiscard]] bool is_program() const noexcept { return hosted->program.has_value(); }
  };

  // Before the child is there, so that none is without its entry.
  template <class Make>
  Born keep(HostedService& hosted, Seat& seat, Make make) noexcept try {
    std::map<pid_t, Child> one;
    auto& child = one.emplace(0, Child{&hosted, {}}).first->second;
    const pid_t process = make(child);
    if (process < 0) return Born::later;
    auto entry = one.extract(one.begin());
    entry.key() = process;
    child.seat = std::move(seat);
    next_due_ = std::min(next_due_, child.due);
    children_.insert(std::move(entry));
    return Born::alive;
  } catch (const std::bad_alloc&) {
    return Born::later;
  }

  // The listening socket above all must not live on in it: who comes after the last door has closed is refused.
  template <class Serve>
  [[noreturn]] static void live(HostedService& hosted, int fd, Serve& serve) noexcept {
    name_process(hosted.name);
    keep_descriptors({&fd, 1});
    try {
      serve();
    } catch (const std::bad_alloc&) {
      hosted.counters.out_of_memory.add();
    }
    // What was copied from the parent is not to be ended here.
    _exit(0);
  }

  // Processes may be had again later; a program that is not there will not be.
  static bool may_come_back(int code) noexcept {
    return code == EAGAIN || code == ENOMEM || code == EMFILE || code == ENFILE;
  }
  static void signal_to(pid_t process, const Child& child, int number) noexcept;
  static void tell_to_end(pid_t process, Child& child, Time now) noexcept;
  static Endpoint peer_of(int connection) noexcept;
  static std::string text_of_client(const Child& child);
  static void note_crash(const Child& child, pid_t process, int status) noexcept;
  static ProgramEnd note_end_of_program(const Child& child, pid_t process, int status, const rusage& used) noexcept;
  static void log_end_of_program(const Child& child, pid_t process, int status, const rusage& used,
                                 Clock::duration lasted) noexcept;

  std::map<pid_t, Child> children_;
  Time next_due_ = never;
};

}  // namespace superd
