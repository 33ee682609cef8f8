#include "superd/designs/listening_thread.h"

#include <fcntl.h>

#include <algorithm>
#include <limits>

#include "superd/engines/engines.h"

namespace superd {

namespace {

// accept(2) alone has no "don't wait" flag, so the mode of a listening socket is that of the design which has it.
void set_blocking(int fd, bool blocking) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

}  // namespace

Result<std::unique_ptr<ListeningThread>> ListeningThread::start(const std::string& name, Listeners listeners, int batch,
                                                                const MakePlacement& make_placement) {
  std::unique_ptr<ListeningThread> made(new ListeningThread);
  const bool alone = listeners.size() == 1;
  if (!alone) {
    auto engine = make_poll();
    if (!engine) return std::unexpected(engine.error());
    made->poll_ = std::move(*engine);
  }
  made->placement_ = make_placement(made->blocking_);
  // Several listeners take turns after each client.
  const Door::Manner manner{.blocking = alone, .burst = alone ? std::numeric_limits<int>::max() : 1, .batch = batch};
  Waiter& waiter = alone ? static_cast<Waiter&>(made->blocking_) : *made->poll_;
  for (const auto& listener : listeners) {
    set_blocking(listener->socket.fd(), alone);
    made->doors_.push_back(std::make_unique<Door>(listener, waiter, *made->placement_, manner));
  }
  auto thread = Thread::start(name, [self = made.get()] { self->run(); });
  if (!thread) return std::unexpected(thread.error());
  std::construct_at(&made->thread_, std::move(*thread));
  return made;
}

void ListeningThread::run() noexcept {
  for (const auto& door : doors_) door->open();
  const auto all_closed = [&] { return std::ranges::all_of(doors_, &Door::is_closed); };
  while (!all_closed()) poll_->turn(never);
  ended_.store(true, std::memory_order_release);
}

// The flag first, so that a call which begins after it is not made; the signal for the one that was made before. Whoever
// reads the socket's mode next sees to it that even a missed signal only means to be called again.
bool ListeningThread::close() noexcept {
  if (ended_.load(std::memory_order_acquire)) return true;
  for (const auto& door : doors_) {
    door->close();
    set_blocking(door->fd(), false);
  }
  thread_.interrupt();
  return false;
}

bool ListeningThread::leave() noexcept {
  for (const auto& door : doors_) door->leave();
  if (std::ranges::all_of(doors_, &Door::has_left)) return true;
  for (const auto& door : doors_) set_blocking(door->fd(), false);
  thread_.interrupt();
  return false;
}

void ListeningThread::cut() noexcept {
  blocking_.cancel_all();
  thread_.interrupt();
}

ListeningThread::~ListeningThread() { thread_.join(); }

}  // namespace superd
