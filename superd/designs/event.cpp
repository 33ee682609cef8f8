#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "superd/base/thread.h"
#include "superd/designs/design.h"
#include "superd/designs/loop_doors.h"
#include "superd/engines/engines.h"
#include "superd/serve/door.h"

namespace superd {

namespace {

/// One thread that turns one engine: all its doors and all their conversations.
class Loop {
 public:
  explicit Loop(std::unique_ptr<Engine> engine)
      : engine_(std::move(engine)), here_(*engine_), doors_(*engine_, [this](auto& closed) {
          closed.clear();
          here_.forget_idle();
        }) {}

  ~Loop() {
    engine_->post([this] { ending_ = true; });
    thread_.join();
  }

  Result<> start(const std::string& name) {
    auto thread = Thread::start(name, [this] { run(); });
    if (!thread) return std::unexpected(thread.error());
    std::construct_at(&thread_, std::move(*thread));
    return {};
  }

  void open(const std::shared_ptr<Listener>& listener) {
    auto& door = doors_.add(std::make_unique<Door>(listener, *engine_, here_, Door::Manner{}));
    engine_->post([&door] { door.open(); });
  }

  LoopDoors& doors() noexcept { return doors_; }
  [[nodiscard]] const LoopDoors& doors() const noexcept { return doors_; }

  bool is_done() const noexcept { return doors_.are_closed() && engine_->conversations() == 0; }

  void cut() {
    engine_->post([this] { engine_->cancel_all(); });
  }

 private:
  void run() noexcept {
    while (!ending_) engine_->turn(never);
    // Those who are still here hold frames that only their own end can free.
    engine_->cancel_all();
  }

  std::unique_ptr<Engine> engine_;
  PlaceHere here_;
  LoopDoors doors_;
  bool ending_ = false;  // the loop's thread alone
  Thread thread_;
};

/// One thread for many clients (slides 18, 46 to 54), or `loops` such threads at the same listeners.
class Event final : public Design {
 public:
  static Result<std::unique_ptr<Design>> make(const EngineEntry& engine, int loops) {
    auto made = std::make_unique<Event>();
    for (int i = 0; i < loops; ++i) {
      auto instance = engine.make();
      if (!instance) return std::unexpected(instance.error());
      auto& loop = made->loops_.emplace_back(std::make_unique<Loop>(std::move(*instance)));
      if (auto started = loop->start("loop/" + std::to_string(i)); !started) return std::unexpected(started.error());
    }
    return made;
  }

  Result<> open(Listeners listeners) override {
    for (const auto& listener : listeners) {
      const int fd = listener->socket.fd();
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
      for (const auto& loop : loops_) loop->open(listener);
    }
    return {};
  }

  bool close() noexcept override {
    return std::ranges::count_if(loops_, [](const auto& loop) { return !loop->doors().close(); }) == 0;
  }

  bool leave() noexcept override {
    return std::ranges::count_if(loops_, [](const auto& loop) { return !loop->doors().leave(); }) == 0;
  }

  bool can_part() const noexcept override { return true; }
  bool close_at(Listeners listeners) noexcept override {
    return std::ranges::count_if(loops_, [&](const auto& loop) { return !loop->doors().close_at(listeners); }) == 0;
  }
  bool has_closed_at(Listeners listeners) const noexcept override {
    return std::ranges::all_of(loops_, [&](const auto& loop) { return loop->doors().has_closed_at(listeners); });
  }
  bool leave_at(Listeners listeners) noexcept override {
    return std::ranges::count_if(loops_, [&](const auto& loop) { return !loop->doors().leave_at(listeners); }) == 0;
  }

  bool is_done() noexcept override {
    return std::ranges::all_of(loops_, [](const auto& loop) { return loop->is_done(); });
  }

  void cut() noexcept override {
    for (const auto& loop : loops_) loop->cut();
  }

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace

Result<std::unique_ptr<Design>> make_event(const DesignSettings& settings) {
  return Event::make(*find_engine(settings.engine), std::max(1, settings.loops));
}

}  // namespace superd
