#include "superd/serve/seat_counts.h"

#include <algorithm>
#include <memory>

namespace superd {

/// One change of the counts, under the lock; in the journal when a process could be killed in the middle of it.
class SeatCounts::Change {
 public:
  explicit Change(SeatCounts& counts) noexcept : counts_(counts), is_journaled_(!lock_quickly()) {
    if (!is_journaled_) return;
    if (counts_.mutex_.lock()) counts_.repair();
    auto& journal = counts_.journal_;
    journal.used = 0;
    journal.count = counts_.count();
    in_this_order();
    journal.is_open = true;
    in_this_order();
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  ~Change() {
    if (!is_journaled_) {
      counts_.quick_mutex_.unlock();
      return;
    }
    in_this_order();
    counts_.journal_.is_open = false;
    counts_.mutex_.unlock();
  }

  [[nodiscard]] std::uint32_t count_of(const SeatKey& key) noexcept { return counts_.clients_.look_up(key).count; }

  void add(const SeatKey& key, int seats) noexcept {
    auto& entry = counts_.clients_.look_up(key);
    const std::uint32_t before = entry.count;
    if (is_journaled_) {
      auto& journal = counts_.journal_;
      journal.lines[journal.used] = {key, before};
      in_this_order();
      ++journal.used;
      in_this_order();
    }
    counts_.clients_.put(entry, key, before + static_cast<std::uint32_t>(seats));
  }

  /// For a client, and for the prefix that it is in.
  void add_share(const ClientKey& client, int seats) noexcept {
    add({client}, seats);
    if (const auto prefix = client.prefix(); prefix != client) add({prefix}, seats);
  }

  /// Why the client may have no more seats; nothing: it may.
  [[nodiscard]] std::optional<SeatRefusal> refusal_of(const ClientKey& client) noexcept {
    if (count_of({client}) >= static_cast<std::uint32_t>(counts_.per_client())) return SeatRefusal::client_has_enough;
    if (counts_.per_prefix() >= counts_.level()) return {};
    const auto prefix = client.prefix();
    if (prefix == client || count_of({prefix}) < static_cast<std::uint32_t>(counts_.per_prefix())) return {};
    return SeatRefusal::prefix_has_enough;
  }

 private:
  // Looks again under the lock: processes may have been announced meanwhile.
  bool lock_quickly() noexcept {
    if (counts_.is_in_processes()) return false;
    counts_.quick_mutex_.lock();
    if (!counts_.is_in_processes()) return true;
    counts_.quick_mutex_.unlock();
    return false;
  }

  SeatCounts& counts_;
  const bool is_journaled_;
};

void SeatCounts::begin() noexcept {
  std::construct_at(&quick_mutex_);
  std::construct_at(&mutex_);
}

int SeatCounts::begin_anew() noexcept {
  begin();
  journal_.is_open = false;
  is_cut_.store(false, std::memory_order_seq_cst);
  in_processes_.store(false, std::memory_order_seq_cst);
  clients_.clear();
  return count_.exchange(0, std::memory_order_seq_cst);
}

void SeatCounts::set_bounds(const SeatBounds& bounds) noexcept {
  const Change change(*this);
  // Seats of before may still be taken when the level is lowered.
  make_room(std::max(bounds.level, level()));
  per_client_.store(bounds.per_client, std::memory_order_relaxed);
  per_prefix_.store(bounds.per_prefix, std::memory_order_relaxed);
  level_.store(bounds.level, std::memory_order_seq_cst);
}

void SeatCounts::make_room(int level) noexcept {
  // A small table costs nothing, and need not grow at the first change of the bound.
  constexpr std::size_t least = 64;
  const auto seats = std::max(least, static_cast<std::size_t>(level));
  // Each is counted for its client and for its prefix, and for its process where there are several.
  clients_.reserve(seats * (is_in_processes() ? 3 : 2));
}

void SeatCounts::serve_in_processes() noexcept {
  // Longer than anybody has the quick lock who is alive.
  constexpr Millis patience{1'000};
  if (!in_processes_.exchange(true, std::memory_order_seq_cst) && quick_mutex_.try_lock_for(patience))
    quick_mutex_.unlock();
  const Change change(*this);
  make_room(level());
}

std::optional<SeatRefusal> SeatCounts::take_share(const ClientKey& client) noexcept {
  Change change(*this);
  if (const auto refused = change.refusal_of(client)) {
    count_.fetch_sub(1, std::memory_order_seq_cst);
    return refused;
  }
  change.add_share(client, 1);
  return {};
}

std::optional<SeatRefusal> SeatCounts::take_journaled(const ClientKey& client, std::uint32_t process) noexcept {
  Change change(*this);
  if (!count_one()) return SeatRefusal::full;
  if (const auto refused = client == nobody ? std::nullopt : change.refusal_of(client)) {
    count_.fetch_sub(1, std::memory_order_seq_cst);
    return refused;
  }
  if (client != nobody) change.add_share(client, 1);
  if (process != 0) change.add({client, process}, 1);
  return {};
}

void SeatCounts::charge(const ClientKey& client, std::uint32_t process) noexcept {
  Change change(*this);
  change.add_share(client, 1);
  if (process == 0) return;
  change.add({nobody, process}, -1);
  change.add({client, process}, 1);
}

void SeatCounts::give_back_share(const ClientKey& client) noexcept {
  Change change(*this);
  change.add_share(client, -1);
}

void SeatCounts::give_back_journaled(const ClientKey& client, std::uint32_t process) noexcept {
  Change change(*this);
  if (client != nobody) change.add_share(client, -1);
  if (process != 0) change.add({client, process}, -1);
  count_.fetch_sub(1, std::memory_order_seq_cst);
}

int SeatCounts::release(std::uint32_t process, Counter* as) noexcept {
  int released = 0;
  // What is given back moves others in the table, perhaps to where we have looked: until there are none.
  for (bool found = true; found;) {
    found = false;
    std::size_t from = 0;
    for (;;) {
      Change change(*this);
      const auto* entry = clients_.next_of(process, from);
      if (!entry) break;
      const SeatKey key = entry->key;
      const int seats = static_cast<int>(entry->count);
      if (key.client != nobody) change.add_share(key.client, -seats);
      change.add(key, -seats);
      if (as) as->add(static_cast<std::uint64_t>(seats));
      count_.fetch_sub(seats, std::memory_order_seq_cst);
      released += seats;
      found = true;
    }
  }
  return released;
}

void SeatCounts::repair() noexcept {
  clients_.repair();
  if (!journal_.is_open) return;
  for (auto i = journal_.used; i-- > 0;) clients_.put(journal_.lines[i].key, journal_.lines[i].before);
  count_.store(journal_.count, std::memory_order_seq_cst);
  in_this_order();
  journal_.is_open = false;
}

}  // namespace superd
