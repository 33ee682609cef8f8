#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "superd/base/thread.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// A thread that looks once a second whether the files have changed that limits name, so that nobody who decides has to.
/// There is none before somebody has such files, and none in processes that are forked: there, who decides looks.
class Refresher {
 public:
  using Services = std::vector<std::shared_ptr<HostedService>>;

  Refresher() = default;
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;
  ~Refresher();

  /// From now on those among them that have files. One thread at a time. Without a thread to be had, who decides looks.
  void look_after(const Services& all) noexcept;

 private:
  void run() noexcept;
  void stop() noexcept;

  std::mutex mutex_;
  std::condition_variable woken_;
  bool ending_ = false;
  Services services_;  // the thread's, while there is one
  Thread thread_;
};

}  // namespace superd
