#include "superd/serve/rate_table.h"

#include <sys/random.h>

#include <algorithm>

#include "superd/base/mix.h"

namespace superd {

namespace {

constexpr int time_bits = 40;
constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;
// Whatever is further ahead is a time that has passed long ago, once round.
constexpr std::uint64_t furthest = time_mask / 2;

std::uint64_t units_of(Clock::duration duration) noexcept { return static_cast<std::uint64_t>(duration.count()) >> 8; }
Clock::duration duration_of(std::uint64_t units) noexcept {
  return Clock::duration(static_cast<Clock::rep>(units << 8));
}

/// What a bucket lacks until it is full; 0: it is.
std::uint64_t debt(std::uint64_t word, std::uint64_t now) noexcept {
  const auto ahead = (word - now) & time_mask;
  return ahead > furthest ? 0 : ahead;
}

std::uint64_t tag_of(std::uint64_t word) noexcept { return word >> time_bits; }

}  // namespace

std::uint64_t RateTable::secret() noexcept {
  if (const auto known = secret_.load(std::memory_order_relaxed)) return known;
  std::uint64_t fresh = 0, none = 0;
  (void)!getrandom(&fresh, sizeof fresh, GRND_NONBLOCK);
  secret_.compare_exchange_strong(none, fresh | 1, std::memory_order_relaxed);
  return secret_.load(std::memory_order_relaxed);
}

std::optional<Clock::duration> RateTable::take(const ClientKey& key, Time time, const Rate& rate,
                                               Clock::duration patience) noexcept {
  const auto hash = mix(mix(key.high ^ secret(), key.low), secret());
  auto& words = sets_[hash % sets].words;
  const auto tag = std::max<std::uint64_t>(hash >> time_bits, 1);
  const auto now = units_of(time.time_since_epoch()) & time_mask;
  const auto interval = std::max<std::uint64_t>(units_of(rate.interval()), 1);
  const auto saved = interval * rate.burst;

  for (;;) {
    Word* place = &words[0];
    std::uint64_t seen = place->load(std::memory_order_relaxed);
    for (auto& word : words) {
      const auto other = word.load(std::memory_order_relaxed);
      const bool is_ours = tag_of(other) == tag;
      if (!is_ours && debt(other, now) >= debt(seen, now)) continue;
      place = &word;
      seen = other;
      if (is_ours) break;
    }
    const auto owed = (tag_of(seen) == tag ? debt(seen, now) : 0) + interval;
    const auto wait = duration_of(owed > saved ? owed - saved : 0);
    if (wait > patience) return std::nullopt;
    const auto filled = tag << time_bits | ((now + owed) & time_mask);
    if (place->compare_exchange_weak(seen, filled, std::memory_order_relaxed)) return wait;
  }
}

}  // namespace superd
