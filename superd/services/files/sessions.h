#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "superd/base/counter.h"
#include "superd/net/endpoint.h"

namespace superd {

/// What is remembered of each client, by address and port, for protocols that have no connection. Bounded in all and for
/// each /24 or /56. A new client that has no room takes the place of another one, chosen at random inside the prefix that
/// has most (its own, when that is at its bound): who sends from ever new ports, or forges addresses, drives out mostly
/// himself, and cannot choose whom else. So right answers must not depend on an entry's being there.
///
/// Thread-safe; of one process.
template <class T>
class Sessions {
 public:
  struct Bounds {
    std::size_t most, most_per_prefix;
  };
  explicit Sessions(Bounds bounds) : bounds_(bounds) {}

  /// Calls `use(T&)` with the client's entry under the lock, so briefly, and returns what it returns. An entry is made
  /// (T{}) when there is none; `evictions` counts who has to go for it.
  template <class Use>
  decltype(auto) with(const Endpoint& client, Counter& evictions, Use use) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(client);
    return use(found != entries_.end() ? found->second.value : add(client, evictions));
  }

  /// The same for an entry that is there; false, and nothing done, when there is none.
  template <class Use>
  bool with_known(const Endpoint& client, Use use) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(client);
    if (found == entries_.end()) return false;
    use(found->second.value);
    return true;
  }

  void forget(const Endpoint& client) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(client);
    if (found != entries_.end()) drop(found);
  }

  /// Forgets all of whom `is_over(const T&)` says so; looks at all, so seldom.
  template <class IsOver>
  std::size_t forget_if(IsOver is_over) {
    const std::lock_guard lock(mutex_);
    std::vector<Endpoint> over;
    for (const auto& [client, entry] : entries_)
      if (is_over(entry.value)) over.push_back(client);
    for (const auto& client : over) drop(entries_.find(client));
    return over.size();
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  void lose_all() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    prefixes_.clear();
    by_weight_.clear();
  }

 private:
  struct Entry {
    T value;
    ClientKey prefix;
    std::size_t place;  // in its prefix
  };
  using Entries = std::unordered_map<Endpoint, Entry>;

  T& add(const Endpoint& client, Counter& evictions) {
    const auto prefix = ClientKey::prefix_of(client);
    const auto own = prefixes_.find(prefix);
    const bool prefix_is_full = own != prefixes_.end() && own->second.size() >= bounds_.most_per_prefix;
    if (prefix_is_full || entries_.size() >= bounds_.most) {
      evict(prefix_is_full ? prefix : std::prev(by_weight_.end())->second);
      evictions.add();
    }
    auto& clients = prefixes_[prefix];
    auto& entry = entries_.emplace(client, Entry{T{}, prefix, clients.size()}).first->second;
    clients.push_back(client);
    note_weight(prefix, clients.size() - 1, clients.size());
    return entry.value;
  }

  void evict(const ClientKey& prefix) {
    const auto& clients = prefixes_.find(prefix)->second;
    const auto chosen = std::uniform_int_distribution<std::size_t>{0, clients.size() - 1}(random_);
    drop(entries_.find(clients[chosen]));
  }

  void drop(typename Entries::iterator entry) {
    const auto found = prefixes_.find(entry->second.prefix);
    auto& clients = found->second;
    note_weight(found->first, clients.size(), clients.size() - 1);
    const auto place = entry->second.place;
    if (place + 1 < clients.size()) {
      clients[place] = clients.back();
      entries_.find(clients[place])->second.place = place;
    }
    clients.pop_back();
    if (clients.empty()) prefixes_.erase(found);
    entries_.erase(entry);
  }

  void note_weight(const ClientKey& prefix, std::size_t before, std::size_t now) {
    if (before > 0) by_weight_.erase({before, prefix});
    if (now > 0) by_weight_.emplace(now, prefix);
  }

  const Bounds bounds_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<ClientKey, std::vector<Endpoint>> prefixes_;
  std::set<std::pair<std::size_t, ClientKey>> by_weight_;  // the heaviest prefix last
  // Who is driven out must not be foreseen by who drives out; it need not be secret for longer.
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace superd
