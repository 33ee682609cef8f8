#include "superd/designs/loop_doors.h"

#include <algorithm>
#include <new>
#include <utility>

namespace superd {

namespace {

auto stands_at(Listeners listeners) {
  return [listeners](const std::unique_ptr<Door>& door) {
    return std::ranges::find(listeners, door->listener()) != listeners.end();
  };
}

void close_one(const std::unique_ptr<Door>& door) noexcept {
  if (!door->is_closed()) door->close();
}

void leave_one(const std::unique_ptr<Door>& door) noexcept {
  if (!door->is_closed()) door->leave();
}

}  // namespace

bool LoopDoors::close() noexcept {
  std::ranges::for_each(doors_, close_one);
  return are_closed();
}

bool LoopDoors::leave() noexcept {
  std::ranges::for_each(doors_, leave_one);
  return std::ranges::all_of(doors_, &Door::has_left);
}

bool LoopDoors::are_closed() const noexcept { return std::ranges::all_of(doors_, &Door::is_closed); }

bool LoopDoors::leave_at(Listeners listeners) noexcept {
  bool have_left = true;
  for (const auto& door : doors_) {
    if (!stands_at(listeners)(door)) continue;
    leave_one(door);
    have_left = have_left && door->has_left();
  }
  return have_left;
}

// One that has left is on its way out already, and must not take in those who are for the next one.
bool LoopDoors::close_at(Listeners listeners) noexcept try {
  for (const auto& door : doors_)
    if (stands_at(listeners)(door) && !door->has_left()) close_one(door);
  give_away_closed();
  return std::ranges::none_of(doors_, stands_at(listeners)) && given_away_.load(std::memory_order_acquire) == 0;
} catch (const std::bad_alloc&) {
  return false;
}

bool LoopDoors::has_closed_at(Listeners listeners) const noexcept {
  const auto stands = stands_at(listeners);
  return std::ranges::none_of(doors_, [&](const auto& door) { return stands(door) && !door->is_closed(); });
}

void LoopDoors::give_away_closed() {
  const auto open = std::ranges::partition(doors_, std::not_fn(&Door::is_closed), &std::unique_ptr<Door>::operator*);
  std::vector<std::unique_ptr<Door>> going(std::make_move_iterator(open.begin()), std::make_move_iterator(open.end()));
  doors_.erase(open.begin(), open.end());
  if (going.empty() && given_away_.load(std::memory_order_relaxed) == 0) return;
  given_away_.fetch_add(going.size(), std::memory_order_relaxed);
  engine_.post([this, going = std::move(going)]() mutable {
    std::ranges::move(going, std::back_inserter(closed_));
    const auto before = closed_.size();
    drop_(closed_);
    given_away_.fetch_sub(before - closed_.size(), std::memory_order_release);
  });
}

}  // namespace superd
