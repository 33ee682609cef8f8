#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "superd/engines/engines.h"
#include "superd/engines/poll_timeout.h"
#include "superd/engines/readiness.h"

namespace superd {

namespace {

/// epoll(7), level-triggered. Any number of descriptors; the cost of a turn is that of the ready ones.
class Epoll final : public Readiness {
 public:
  Epoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_.is_open()) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    if (watch(wake_fd(), Interest::nothing, Interest::reading) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }

 private:
  int watch(int fd, Interest before, Interest wanted) noexcept override {
    epoll_event event{};
    event.events = wanted == Interest::writing ? EPOLLOUT : EPOLLIN;
    // The descriptor, never an address: whoever it belongs to may be gone when the event is read.
    event.data.fd = fd;
    const int change = before == Interest::nothing   ? EPOLL_CTL_ADD
                       : wanted == Interest::nothing ? EPOLL_CTL_DEL
                                                     : EPOLL_CTL_MOD;
    return epoll_ctl(epoll_.fd(), change, fd, &event) == 0 ? 0 : errno;
  }

  int collect(Time until) noexcept override {
    const int count = wait_until(until);
    if (count < 0) return errno;
    for (int i = 0; i < count; ++i) {
      const auto& event = events_[static_cast<std::size_t>(i)];
      const bool broken_off = event.events & (EPOLLERR | EPOLLHUP);
      ready_.push_back({event.data.fd, broken_off || event.events & EPOLLIN, broken_off || event.events & EPOLLOUT});
    }
    return 0;
  }

  // By epoll_pwait2(2): the other one would round a sleep up to the next millisecond. From Linux 5.11 on, and a sandbox
  // may not know it.
  int wait_until(Time until) noexcept {
    const auto room = static_cast<int>(events_.size());
    const bool has_end = until != never && until != Time{};
    if (!has_end || !waits_precisely_) return epoll_wait(epoll_.fd(), events_.data(), room, poll_timeout(until));
    const auto left = std::max(until - Clock::now(), Clock::duration{});
    const auto seconds = std::chrono::floor<Seconds>(left);
    const timespec limit{seconds.count(), (left - seconds).count()};
    const int count = epoll_pwait2(epoll_.fd(), events_.data(), room, &limit, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    waits_precisely_ = false;
    return wait_until(until);
  }

  Socket epoll_;
  bool waits_precisely_ = true;
  // As many as a busy loop meets in one turn; more come in the next one.
  std::array<epoll_event, 256> events_;
};

}  // namespace

Result<std::unique_ptr<Engine>> make_epoll() { return std::make_unique<Epoll>(); }

}  // namespace superd
