#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <new>
#include <optional>

#include "superd/base/log.h"
#include "superd/designs/design.h"
#include "superd/designs/listening_thread.h"
#include "superd/serve/direct_path.h"

namespace superd {

namespace {

/// The threads of conversations under way, so that they can be cut and waited for.
class Crew {
 public:
  /// Begins a conversation in a thread of its own; false when there is no thread, or no memory for it, to be had. `work`
  /// is then as it was.
  template <class Work>
  bool start(const std::string& name, std::shared_ptr<Work> work) noexcept {
    std::optional<Member> member;
    try {
      member = join();
      const auto started = Thread::start_detached(name, [this, me = *member, work = std::move(work)]() mutable {
        work->run(*me);
        // What the work keeps alive goes before we say that we are gone.
        work.reset();
        leave(me);
      });
      if (started) return true;
    } catch (const std::bad_alloc&) {
      // As without a thread: the door asks again.
    }
    if (member) leave(*member);
    return false;
  }

  void cut() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto& blocking : members_) blocking.cancel_all();
  }

  bool is_gone() noexcept {
    const std::lock_guard lock(mutex_);
    return members_.empty();
  }

  void wait_until_gone() {
    std::unique_lock lock(mutex_);
    left_.wait(lock, [&] { return members_.empty(); });
  }

 private:
  using Member = std::list<Blocking>::iterator;

  Member join() {
    const std::lock_guard lock(mutex_);
    return members_.emplace(members_.end());
  }

  void leave(Member member) noexcept {
    const std::lock_guard lock(mutex_);
    members_.erase(member);
    left_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable left_;
  std::list<Blocking> members_;
};

struct ConnectionWork {
  HostedService& hosted;
  Socket socket;
  Seat seat;
  void run(Waiter& waiter) noexcept try {
    Worker worker(hosted);
    converse(hosted, socket, waiter, seat, &worker);
  } catch (const std::bad_alloc&) {
    hosted.counters.out_of_memory.add();
  }
};

struct DatagramWork {
  std::shared_ptr<Listener> listener;
  std::unique_ptr<DatagramSlot> slot;
  Seat seat;
  void run(Waiter& waiter) noexcept try {
    DirectPath path(listener);
    Worker worker(*listener->hosted);
    // The thread has taken its time to begin.
    waiter.refresh_now();
    converse(listener, slot, path, waiter, seat, &worker);
  } catch (const std::bad_alloc&) {
    listener->hosted->counters.out_of_memory.add();
  }
};

class PlaceInThread final : public Placement {
 public:
  explicit PlaceInThread(Crew& crew) noexcept : crew_(crew) {}

  bool place(HostedService& hosted, Socket& socket, Seat& seat) override try {
    const auto work = std::make_shared<ConnectionWork>(hosted, std::move(socket), std::move(seat));
    if (crew_.start(hosted.name, work)) return true;
    socket = std::move(work->socket);
    seat = std::move(work->seat);
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }

  bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath&,
             Seat& seat) override try {
    const auto work = std::make_shared<DatagramWork>(listener, std::move(slot), std::move(seat));
    if (crew_.start(listener->hosted->name, work)) return true;
    slot = std::move(work->slot);
    seat = std::move(work->seat);
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }

 private:
  Crew& crew_;
};

/// A thread made on demand for each conversation (slides 16, 17, 39 to 44, 87), one more to listen.
class Threads final : public Design {
 public:
  ~Threads() override {
    listening_.clear();
    crew_.wait_until_gone();
  }

  Result<> open(Listeners listeners) override {
    auto thread = ListeningThread::start(listeners.front()->hosted->name, listeners, 64,
                                         [this](Waiter&) { return std::make_unique<PlaceInThread>(crew_); });
    if (!thread) return std::unexpected(thread.error());
    listening_.push_back(std::move(*thread));
    return {};
  }

  bool close() noexcept override {
    return std::ranges::count_if(listening_, [](const auto& thread) { return !thread->close(); }) == 0;
  }

  bool leave() noexcept override {
    return std::ranges::count_if(listening_, [](const auto& thread) { return !thread->leave(); }) == 0;
  }

  bool is_done() noexcept override {
    return std::ranges::all_of(listening_, [](const auto& thread) { return thread->has_ended(); }) && crew_.is_gone();
  }

  void cut() noexcept override {
    for (const auto& thread : listening_) thread->cut();
    crew_.cut();
  }

 private:
  Crew crew_;
  std::vector<std::unique_ptr<ListeningThread>> listening_;
};

}  // namespace

Result<std::unique_ptr<Design>> make_threads(const DesignSettings&) { return std::make_unique<Threads>(); }

}  // namespace superd
