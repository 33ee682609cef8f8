#include <algorithm>

#include "superd/designs/design.h"
#include "superd/designs/listening_thread.h"

namespace superd {

namespace {

/// Threads made beforehand, all waiting on the same socket (slides 92 to 98). The kernel hands each client to the one
/// that has waited longest: fair, and without a thread to distribute them.
class Prethreaded final : public Design {
 public:
  explicit Prethreaded(int workers) noexcept : workers_(workers) {}

  Result<> open(Listeners listeners) override {
    for (const auto& listener : listeners) {
      for (int i = 0; i < workers_; ++i) {
        // One datagram at a time: a batch would keep from idle workers what a busy one has received.
        auto worker = ListeningThread::start(listener->hosted->name + "/" + std::to_string(i), {&listener, 1}, 1,
                                             [](Waiter& waiter) { return std::make_unique<PlaceHere>(waiter); });
        // Fewer will do (faults: thread creation fails at start), none will not.
        if (!worker && i > 0) break;
        if (!worker) return std::unexpected(worker.error());
        threads_.push_back(std::move(*worker));
      }
    }
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
  const int workers_;
  std::vector<std::unique_ptr<ListeningThread>> threads_;
};

}  // namespace

Result<std::unique_ptr<Design>> make_prethreaded(const DesignSettings& settings) {
  return std::make_unique<Prethreaded>(settings.workers);
}

}  // namespace superd
