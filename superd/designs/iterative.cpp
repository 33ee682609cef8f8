#include <algorithm>

#include "superd/designs/design.h"
#include "superd/designs/listening_thread.h"

namespace superd {

namespace {

/// The chapter's first server (slides 2 and 3): one thread, one client at a time, the others queue in the kernel.
class Iterative final : public Design {
 public:
  Result<> open(Listeners listeners) override {
    auto thread = ListeningThread::start(listeners.front()->hosted->name, listeners, 64,
                                         [](Waiter& waiter) { return std::make_unique<PlaceHere>(waiter); });
    if (!thread) return std::unexpected(thread.error());
    threads_.push_back(std::move(*thread));
    return {};
  }

  bool close() noexcept override {
    return std::ranges::count_if(threads_, [](const auto& thread) { return !thread->close(); }) == 0;
  }

  bool leave() noexcept override {
    return std::ranges::count_if(threads_, [](const auto& thread) { return !thread->leave(); }) == 0;
  }

  bool is_done() noexcept override {
    return std::ranges::all_of(threads_, [](const auto& thread) { return thread->has_ended(); });
  }

  void cut() noexcept override {
    for (const auto& thread : threads_) thread->cut();
  }

 private:
  std::vector<std::unique_ptr<ListeningThread>> threads_;
};

}  // namespace

Result<std::unique_ptr<Design>> make_iterative(const DesignSettings&) { return std::make_unique<Iterative>(); }

}  // namespace superd
