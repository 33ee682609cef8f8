#include <fcntl.h>
#include <sched.h>

#include <algorithm>

#include "superd/designs/design.h"
#include "superd/designs/shared_loop.h"
#include "superd/engines/engines.h"

namespace superd {

namespace {

// Those that this process may run on: a container may be given one of many.
int processors() noexcept {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

/// Event loops, so that waiting costs no thread, each of which goes to another thread while a handler computes or blocks
/// (slide 103: delayed allocation and preallocation combined). Spare threads are kept while they pay.
class Adaptive final : public Design {
 public:
  explicit Adaptive(const DesignSettings& settings)
      : watch_(settings.deadline, decisions_), reserve_("adaptive", settings.threads, decisions_) {}

  ~Adaptive() override {
    // Before the reserve, which waits for its threads.
    for (const auto& loop : loops_) loop->stop_watching();
    for (const auto& loop : loops_) loop->end();
  }

  Result<> start(const EngineEntry& engine, const DesignSettings& settings) {
    if (auto started = watch_.start(); !started) return started;
    const int wanted = settings.loops > 0 ? settings.loops : processors();
    for (int i = 0; i < std::min(wanted, settings.threads); ++i) {
      auto instance = engine.make();
      if (!instance) return std::unexpected(instance.error());
      auto loop = std::make_unique<SharedLoop>(std::move(*instance), settings.queue, decisions_, watch_, reserve_);
      if (auto started = loop->start(); !started) return started;
      loops_.push_back(std::move(loop));
    }
    return {};
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
    return std::ranges::count_if(loops_, [](const auto& loop) { return !loop->close(); }) == 0;
  }

  bool leave() noexcept override {
    return std::ranges::count_if(loops_, [](const auto& loop) { return !loop->leave(); }) == 0;
  }

  bool can_part() const noexcept override { return true; }
  bool close_at(Listeners listeners) noexcept override {
    return std::ranges::count_if(loops_, [&](const auto& loop) { return !loop->close_at(listeners); }) == 0;
  }
  bool has_closed_at(Listeners listeners) const noexcept override {
    return std::ranges::all_of(loops_, [&](const auto& loop) { return loop->has_closed_at(listeners); });
  }
  bool leave_at(Listeners listeners) noexcept override {
    return std::ranges::count_if(loops_, [&](const auto& loop) { return !loop->leave_at(listeners); }) == 0;
  }

  bool is_done() noexcept override {
    return std::ranges::all_of(loops_, [](const auto& loop) { return loop->is_done(); });
  }

  void cut() noexcept override {
    for (const auto& loop : loops_) loop->cut();
  }

  Report report() const override { return report_of(watch_, reserve_, decisions_); }

 private:
  Decisions decisions_;
  Watch watch_;
  std::vector<std::unique_ptr<SharedLoop>> loops_;
  ThreadReserve reserve_;
};

}  // namespace

Result<std::unique_ptr<Design>> make_adaptive(const DesignSettings& settings) {
  const auto* engine = find_engine(settings.engine);
  auto made = std::make_unique<Adaptive>(settings);
  if (auto started = made->start(*engine, settings); !started) return std::unexpected(started.error());
  return made;
}

}  // namespace superd
