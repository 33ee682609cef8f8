#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <limits>
#include <list>
#include <map>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/designs/back_off.h"
#include "superd/designs/design.h"
#include "superd/designs/supervised.h"
#include "superd/engines/blocking.h"
#include "superd/engines/engines.h"
#include "superd/serve/door.h"

namespace superd {

namespace {

// Ignored by default, so that one that comes before a worker is ready for it does no harm.
constexpr int close_signal = SIGURG;

Door* door_of_this_worker = nullptr;

// Without SA_RESTART, or accept(2) and recvmmsg(2) would go on.
void close_when_told(Door& door) noexcept {
  door_of_this_worker = &door;
  struct sigaction action{};
  action.sa_handler = [](int) { door_of_this_worker->close_from_handler(); };
  sigaction(close_signal, &action, nullptr);
}

/// What a worker process does: takes in and serves one client after another, until it is told to close.
[[noreturn]] void work(const std::shared_ptr<Listener>& listener, int number) noexcept {
  const int fd = listener->socket.fd();
  name_process(listener->hosted->name + "/" + std::to_string(number));
  keep_descriptors({&fd, 1});
  listener->hosted->level.join_as_process(static_cast<std::uint32_t>(getpid()));
  Blocking blocking;
  PlaceHere here(blocking);
  // One datagram at a time: a batch would keep from idle workers what a busy one has received.
  Door door(listener, blocking, here, {.blocking = true, .burst = std::numeric_limits<int>::max(), .batch = 1});
  close_when_told(door);
  door.open();
  // What was copied from the supervisor is not to be ended here.
  _exit(0);
}

/// Keeps `workers` processes at each listener.
class Preforker final : public Supervisor {
 public:
  Preforker(Listeners listeners, std::unique_ptr<Engine> poll, int workers)
      : Supervisor(listeners, std::move(poll)), workers_wanted_(workers) {}

 private:
  /// The workers of one listener.
  struct Stand {
    std::shared_ptr<Listener> listener;
    BackOff back_off;
    std::vector<int> missing;  ///< their numbers
    Time due = never;          ///< when to make those that are missing
  };
  struct Worker {
    Stand* stand;
    int number;
    bool was_cut = false;
  };

  Result<> begin() override {
    for (const auto& listener : listeners()) {
      set_blocking(listener->socket.fd(), true);
      auto& stand = stands_.emplace_back(Stand{listener, BackOff(workers_wanted_), {}});
      for (int i = 0; i < workers_wanted_; ++i)
        if (!start(stand, i)) stand.missing.push_back(i);
      // Fewer will do, none will not.
      if (stand.missing.size() == static_cast<std::size_t>(workers_wanted_)) return system_error("fork a worker");
      if (!stand.missing.empty()) put_off(stand);
    }
    return {};
  }

  bool start(Stand& stand, int number) {
    const pid_t process = fork_child();
    if (process == 0) work(stand.listener, number);
    if (process > 0) workers_.emplace(process, Worker{&stand, number});
    return process > 0;
  }

  void put_off(Stand& stand) noexcept {
    const Time now = Clock::now();
    stand.due = stand.back_off.next(now);
    if (stand.due <= now) return;
    stand.listener->hosted->counters.held_back.add();
    if (!stand.back_off.has_begun()) return;
    log_event(Severity::warning, "workers die again and again",
              {
                  {"service", stand.listener->hosted->name                               },
                  {"on",      stand.listener->local.text()                               },
                  {"then",    "they are replaced after a pause, which grows to 5 seconds"}
    });
  }

  [[nodiscard]] bool has_children() const noexcept override { return !workers_.empty(); }

  void ended(pid_t process, int status, const rusage&) noexcept override {
    const auto found = workers_.find(process);
    if (found == workers_.end()) return;
    const auto worker = found->second;
    workers_.erase(found);
    auto& stand = *worker.stand;
    auto& hosted = *stand.listener->hosted;
    hosted.release_process(process, worker.was_cut ? &hosted.counters.cut : nullptr);
    if (worker.was_cut || (is_closing_ && WIFEXITED(status) && WEXITSTATUS(status) == 0)) return;
    hosted.counters.crashed.add();
    log_event(Severity::error, "worker crashed",
              {
                  {"service", hosted.name        },
                  {"process", process            },
                  {"why",     text_of_end(status)}
    });
    if (is_closing_) return;
    stand.missing.push_back(worker.number);
    put_off(stand);
  }

  Time tend(Time now) noexcept override {
    Time next = never;
    for (auto& stand : stands_) {
      if (is_closing_) break;
      if (stand.due <= now) replace(stand);
      next = std::min(next, stand.due);
    }
    return next;
  }

  void replace(Stand& stand) noexcept {
    stand.due = never;
    while (!stand.missing.empty() && start(stand, stand.missing.back())) stand.missing.pop_back();
    if (stand.missing.empty()) return;
    stand.listener->hosted->counters.out_of_threads.add();
    put_off(stand);
  }

  // The mode first, so that a call which begins after the signal does not block; the signal for the one before.
  void close() noexcept override {
    for (const auto& stand : stands_) set_blocking(stand.listener->socket.fd(), false);
    leave();
  }

  void leave() noexcept override {
    is_closing_ = true;
    for (const auto& [process, worker] : workers_) kill(process, close_signal);
  }

  [[nodiscard]] bool is_closed() const noexcept override { return is_closing_ && workers_.empty(); }

  void cut() noexcept override {
    for (auto& [process, worker] : workers_) {
      worker.was_cut = true;
      kill(process, SIGKILL);
    }
  }

  static void set_blocking(int fd, bool blocking) noexcept {
    const int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
  }

  const int workers_wanted_;
  std::list<Stand> stands_;
  std::map<pid_t, Worker> workers_;
  bool is_closing_ = false;
};

}  // namespace

/// Processes made beforehand, all waiting on the same socket (slides 92 to 98), and one that replaces those that die.
Result<std::unique_ptr<Design>> make_preforked(const DesignSettings& settings) {
  return std::make_unique<Supervised>(
      "supervisor", true, [workers = settings.workers](Listeners listeners) -> Result<std::unique_ptr<Supervisor>> {
        auto poll = make_poll();
        if (!poll) return std::unexpected(poll.error());
        return std::make_unique<Preforker>(listeners, std::move(*poll), workers);
      });
}

}  // namespace superd
