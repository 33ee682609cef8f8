#include "superd/serve/held_clients.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

namespace superd {

namespace {

std::atomic<std::size_t> held_in_process{0};

// What is held must not be what others lack.
std::size_t most_in_process() noexcept {
  static const std::size_t most = [] {
    constexpr rlim_t share = 8, bound = 1 << 16;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::size_t{0};
    return static_cast<std::size_t>(std::min(limit.rlim_cur / share, bound));
  }();
  return most;
}

constexpr auto later = [](const HeldClient& a, const HeldClient& b) { return a.due > b.due; };

}  // namespace

bool HeldClients::has_room() const noexcept {
  return held_.size() < most && held_in_process.load(std::memory_order_relaxed) < most_in_process();
}

bool HeldClients::keep(Socket& socket, const Endpoint& from, const ClientKey& client, Time due) noexcept try {
  if (!has_room()) return false;
  // Before the socket is moved into what may not fit.
  if (held_.size() == held_.capacity()) held_.reserve(std::max<std::size_t>(16, 2 * held_.size()));
  held_.push_back({std::move(socket), from, client, due});
  std::ranges::push_heap(held_, later);
  held_in_process.fetch_add(1, std::memory_order_relaxed);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

HeldClient HeldClients::take() noexcept {
  std::ranges::pop_heap(held_, later);
  HeldClient first = std::move(held_.back());
  held_.pop_back();
  held_in_process.fetch_sub(1, std::memory_order_relaxed);
  // A crowd is over: its memory is given back.
  if (held_.empty()) std::vector<HeldClient>().swap(held_);
  return first;
}

void HeldClients::clear() noexcept {
  held_in_process.fetch_sub(held_.size(), std::memory_order_relaxed);
  std::vector<HeldClient>().swap(held_);
}

}  // namespace superd
