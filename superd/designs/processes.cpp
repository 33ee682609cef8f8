#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <map>
#include <new>
#include <vector>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/designs/design.h"
#include "superd/designs/supervised.h"
#include "superd/engines/blocking.h"
#include "superd/engines/engines.h"
#include "superd/serve/direct_path.h"
#include "superd/serve/door.h"

namespace superd {

namespace {

/// The children of conversations under way, each with its place in the level, which is held here: whatever becomes of a
/// child, the place comes back.
class Brood {
 public:
  /// Serves in a process of its own, which ends when `serve` returns; false when there is none to be had, and nothing
  /// was taken.
  template <class Serve>
  bool start(HostedService& hosted, int fd, Seat& seat, Serve serve) noexcept try {
    // Before fork(2), so that no child is without its entry.
    std::map<pid_t, Child> one;
    one.emplace(0, Child{&hosted, {}});
    const pid_t process = fork_child();
    if (process == 0) live(hosted, fd, serve);
    if (process < 0) return false;
    auto entry = one.extract(one.begin());
    entry.key() = process;
    entry.mapped().seat = std::move(seat);
    children_.insert(std::move(entry));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  void cut() noexcept {
    for (auto& [process, child] : children_) {
      child.was_cut = true;
      kill(process, SIGKILL);
    }
  }

  [[nodiscard]] bool is_empty() const noexcept { return children_.empty(); }

  void ended(pid_t process, int status) noexcept {
    const auto found = children_.find(process);
    if (found == children_.end()) return;
    auto& [hosted, seat, was_cut] = found->second;
    const bool went_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!went_well && was_cut) hosted->counters.cut.add();
    if (!went_well && !was_cut) note_crash(*hosted, process, status);
    if (!went_well) hosted->board.workers().release_process(process);
    children_.erase(found);
  }

 private:
  struct Child {
    HostedService* hosted;
    Seat seat;
    bool was_cut = false;
  };

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

  static void note_crash(HostedService& hosted, pid_t process, int status) noexcept {
    hosted.counters.crashed.add();
    log_event(Severity::error, "conversation crashed",
              {
                  {"service", hosted.name        },
                  {"process", process            },
                  {"why",     text_of_end(status)}
    });
  }

  std::map<pid_t, Child> children_;
};

class PlaceInProcess final : public Placement {
 public:
  explicit PlaceInProcess(Brood& brood) noexcept : brood_(brood) {}

  bool place(HostedService& hosted, Socket& socket, Seat& seat) override {
    const bool placed = brood_.start(hosted, socket.fd(), seat, [&] {
      Blocking waiter;
      Seat held_by_parent = seat.shadow();
      Worker worker(hosted);
      converse(hosted, socket, waiter, held_by_parent, &worker);
    });
    // The connection must end when the child ends it.
    if (placed) socket.reset();
    return placed;
  }

  bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath&,
             Seat& seat) override {
    // The slot is copied by fork(2), and free again at once.
    return brood_.start(*listener->hosted, listener->socket.fd(), seat, [&] {
      Blocking waiter;
      DirectPath path(listener);
      Seat held_by_parent = seat.shadow();
      Worker worker(*listener->hosted);
      converse(listener, slot, path, waiter, held_by_parent, &worker);
    });
  }

 private:
  Brood& brood_;
};

/// Takes clients in at all its listeners, by one thread, and forks a child for each.
class Dispatcher final : public Supervisor {
 public:
  Dispatcher(Listeners listeners, std::unique_ptr<Engine> poll)
      : Supervisor(listeners, std::move(poll)), placement_(brood_) {}

 private:
  Result<> begin() override {
    // Once here, or each child that tells the local time reads the file of its zone.
    tzset();
    for (const auto& listener : listeners()) {
      // Should this process be killed, all its places are given back at once.
      listener->hosted->level.join_as_process(static_cast<std::uint32_t>(getpid()));
      const int fd = listener->socket.fd();
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
      doors_.push_back(std::make_unique<Door>(listener, engine(), placement_, Door::Manner{}));
    }
    for (const auto& door : doors_) door->open();
    return {};
  }

  void close() noexcept override {
    for (const auto& door : doors_)
      if (!door->is_closed()) door->close();
  }

  [[nodiscard]] bool is_closed() const noexcept override { return std::ranges::all_of(doors_, &Door::is_closed); }
  void cut() noexcept override { brood_.cut(); }
  [[nodiscard]] bool has_children() const noexcept override { return !brood_.is_empty(); }
  void ended(pid_t child, int status) noexcept override { brood_.ended(child, status); }
  Time tend(Time) noexcept override { return never; }

  Brood brood_;
  PlaceInProcess placement_;
  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace

/// A process made on demand for each conversation (slides 39 to 44, 87), forked by one that listens.
Result<std::unique_ptr<Design>> make_processes(const DesignSettings&) {
  return std::make_unique<Supervised>("dispatcher", false,
                                      [](Listeners listeners) -> Result<std::unique_ptr<Supervisor>> {
                                        auto poll = make_poll();
                                        if (!poll) return std::unexpected(poll.error());
                                        return std::make_unique<Dispatcher>(listeners, std::move(*poll));
                                      });
}

}  // namespace superd
