#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <span>

#include "superd/engines/engines.h"
#include "superd/engines/poll_timeout.h"
#include "superd/engines/readiness.h"
#include "superd/engines/transfer.h"

namespace superd {

namespace {

/// poll(2). Any number of descriptors, all of them handed to the kernel in every turn.
class Poll final : public Readiness {
 public:
  Poll() { (void)watch(wake_fd(), Interest::nothing, Interest::reading); }

 private:
  int watch(int fd, Interest before, Interest wanted) noexcept override {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= place_.size()) place_.resize(index + 1);
    if (wanted == Interest::nothing) return drop(index);
    const short events = wanted == Interest::writing ? POLLOUT : POLLIN;
    if (before == Interest::nothing) {
      place_[index] = watched_.size();
      watched_.push_back({fd, events, 0});
    } else {
      watched_[place_[index]].events = events;
    }
    return 0;
  }

  // The last one moves into the gap.
  int drop(std::size_t index) noexcept {
    const auto gap = place_[index];
    watched_[gap] = watched_.back();
    place_[static_cast<std::size_t>(watched_[gap].fd)] = gap;
    watched_.pop_back();
    return 0;
  }

  int collect(Time until) noexcept override {
    const int count = ::poll(watched_.data(), watched_.size(), poll_timeout(until));
    if (count < 0) return errno == EINVAL ? collect_in_parts(until) : errno;
    note_ready(watched_, count);
    return 0;
  }

  // poll(2) refuses more than RLIMIT_NOFILE, and that may have been lowered below what we have: then in parts, by looking
  // again and again.
  int collect_in_parts(Time until) noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == 0) return EINVAL;
    const auto part = static_cast<std::size_t>(limit.rlim_cur);
    for (std::size_t begin = 0; begin < watched_.size(); begin += part) {
      const auto some = std::span(watched_).subspan(begin, std::min(part, watched_.size() - begin));
      const int count = ::poll(some.data(), some.size(), 0);
      if (count < 0) return errno;
      note_ready(some, count);
    }
    if (ready_.empty()) (void)::poll(nullptr, 0, poll_timeout(std::min(until, Clock::now() + retry_pause)));
    return 0;
  }

  void note_ready(std::span<const pollfd> some, int left) {
    for (std::size_t i = 0; left > 0 && i < some.size(); ++i) {
      const auto& entry = some[i];
      if (entry.revents == 0) continue;
      --left;
      const bool broken_off = entry.revents & (POLLERR | POLLHUP | POLLNVAL);
      ready_.push_back({entry.fd, broken_off || entry.revents & POLLIN, broken_off || entry.revents & POLLOUT});
    }
  }

  std::vector<pollfd> watched_;
  std::vector<std::size_t> place_;  // by descriptor: where it stands in watched_
};

}  // namespace

Result<std::unique_ptr<Engine>> make_poll() { return std::make_unique<Poll>(); }

}  // namespace superd
