#include <fcntl.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "superd/designs/design.h"
#include "superd/designs/station.h"
#include "superd/engines/engines.h"
#include "superd/serve/place_later.h"

namespace superd {

namespace {

// accept(2) alone has no "don't wait" flag, so the mode of a listening socket is that of the design which has it.
void set_blocking(int fd, bool blocking) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/// Doors that one thread at a time stands at. It serves each client itself, by blocking calls; while one takes long, the
/// doors go to another thread.
class Doors final : public Station {
 public:
  using Station::Station;
  Result<> open(Listeners listeners) {
    const bool alone = listeners.size() == 1;
    if (!alone) {
      auto engine = make_poll();
      if (!engine) return std::unexpected(engine.error());
      poll_ = std::move(*engine);
    }
    const Door::Manner manner{
        .blocking = alone, .burst = alone ? std::numeric_limits<int>::max() : 1, .batch = 64, .rests = true};
    Waiter& waiter = alone ? static_cast<Waiter&>(blocking_) : *poll_;
    for (const auto& listener : listeners) {
      set_blocking(listener->socket.fd(), alone);
      doors_.push_back(std::make_unique<Door>(listener, waiter, place_, manner));
    }
    return start();
  }

  void lead(ReserveThread& self) noexcept override {
    note_lead(self);
    HeldAnswers answers;
    while (find_client()) {
      auto client = place_.take();
      if (watch_.hands_over_at_once() && hand_over_now()) return serve_apart(client, self, answers);
      const auto turn = begin_turn();
      client.begin(self.blocking, answers);
      if (!end_turn(turn)) {
        client.settle_apart(answers);
        (void)note_return();
        return;
      }
      client.settle(answers);
    }
    ended_.store(true, std::memory_order_release);
  }

  bool close() noexcept {
    if (ended_.load(std::memory_order_acquire)) return true;
    for (const auto& door : doors_) {
      door->close();
      set_blocking(door->fd(), false);
    }
    reserve_.interrupt(leader_.load(std::memory_order_acquire));
    return false;
  }

  bool leave() noexcept {
    for (const auto& door : doors_) door->leave();
    if (std::ranges::all_of(doors_, &Door::has_left)) return true;
    for (const auto& door : doors_) set_blocking(door->fd(), false);
    reserve_.interrupt(leader_.load(std::memory_order_acquire));
    return false;
  }

  [[nodiscard]] bool is_done() const noexcept { return ended_.load(std::memory_order_acquire) && !anybody_away(); }

  void cut() noexcept { blocking_.cancel_all(); }

 private:
  // Until somebody is there to be served; false: all doors are closed.
  bool find_client() noexcept {
    if (!std::exchange(opened_, true))
      for (const auto& door : doors_) door->open();
    while (!place_.has_one()) {
      if (Door* const door = place_.take_resting())
        door->go_on(false);
      else if (std::ranges::all_of(doors_, &Door::is_closed))
        return false;
      else
        turn_once();
    }
    return true;
  }

  // One step at a time: the rest of the turn goes with the doors.
  void turn_once() noexcept {
    if (Operation* const next = poll_->next())
      next->parked.resume();
    else
      poll_->begin_turn(never);
  }

  // Others have the doors already.
  void serve_apart(PlacedConversation& client, ReserveThread& self, HeldAnswers& answers) noexcept {
    const Time begun = Clock::now();
    client.begin(self.blocking, answers);
    client.settle_apart(answers);
    watch_.note_duration(Clock::now() - begun);
    (void)note_return();
  }

  Blocking blocking_;             // the doors' own: it goes with them
  std::unique_ptr<Engine> poll_;  // only with several listeners
  PlaceLater place_;
  std::vector<std::unique_ptr<Door>> doors_;
  bool opened_ = false;
  std::atomic<bool> ended_{false};
};

/// The listening thread begins each conversation itself, so that a short one costs no other thread; only when its deadline
/// has passed do the others get one (slides 100 to 102).
class Delayed final : public Design {
 public:
  explicit Delayed(const DesignSettings& settings)
      : watch_(settings.deadline, decisions_), reserve_("delayed", settings.threads, decisions_) {}

  ~Delayed() override {
    // Before the reserve, which waits for its threads.
    for (const auto& doors : doors_) doors->stop_watching();
  }

  Result<> start() { return watch_.start(); }

  Result<> open(Listeners listeners) override {
    auto& doors = doors_.emplace_back(std::make_unique<Doors>(watch_, reserve_));
    return doors->open(listeners);
  }

  bool close() noexcept override {
    return std::ranges::count_if(doors_, [](const auto& doors) { return !doors->close(); }) == 0;
  }

  bool leave() noexcept override {
    return std::ranges::count_if(doors_, [](const auto& doors) { return !doors->leave(); }) == 0;
  }

  bool is_done() noexcept override {
    return std::ranges::all_of(doors_, [](const auto& doors) { return doors->is_done(); });
  }

  void cut() noexcept override {
    for (const auto& doors : doors_) doors->cut();
    reserve_.cancel_all();
  }

  Report report() const override { return report_of(watch_, reserve_, decisions_); }

 private:
  Decisions decisions_;
  Watch watch_;
  std::vector<std::unique_ptr<Doors>> doors_;
  ThreadReserve reserve_;
};

}  // namespace

Result<std::unique_ptr<Design>> make_delayed(const DesignSettings& settings) {
  auto made = std::make_unique<Delayed>(settings);
  if (auto started = made->start(); !started) return std::unexpected(started.error());
  return made;
}

}  // namespace superd
