#include "superd/super/refresher.h"

#include <unistd.h>

#include <utility>

namespace superd {

Refresher::~Refresher() { stop(); }

void Refresher::stop() noexcept {
  for (const auto& hosted : services_) hosted->admission.note_refreshed_by(0);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  woken_.notify_all();
  thread_.join();
  services_.clear();
}

void Refresher::look_after(const Services& all) noexcept try {
  Services wanted;
  for (const auto& hosted : all)
    if (hosted->admission.has_files()) wanted.push_back(hosted);
  if (wanted == services_) return;
  stop();
  if (wanted.empty()) return;
  services_ = std::move(wanted);
  ending_ = false;
  auto thread = Thread::start("refresher", [this] { run(); });
  if (!thread) return services_.clear();
  std::construct_at(&thread_, std::move(*thread));
  for (const auto& hosted : services_) hosted->admission.note_refreshed_by(getpid());
} catch (const std::bad_alloc&) {
  services_.clear();
}

void Refresher::run() noexcept {
  constexpr Seconds interval{1};
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (woken_.wait_for(lock, interval, [this] { return ending_; })) return;
    }
    for (const auto& hosted : services_) hosted->admission.refresh();
  }
}

}  // namespace superd
