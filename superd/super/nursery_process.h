#pragma once

#include <map>
#include <memory>
#include <vector>

#include "superd/designs/design.h"
#include "superd/net/socket.h"
#include "superd/super/nursery_order.h"

namespace superd::nursery {

/// The nursery's side of the channel: opens what is ordered, and looks after it.
class Caretaker {
 public:
  Caretaker(Socket channel, std::vector<std::shared_ptr<HostedService>> known)
      : channel_(std::move(channel)), known_(std::move(known)) {}

  /// In the new process, which ends here, when the channel does.
  [[noreturn]] void run() noexcept;

 private:
  struct Ward {
    std::unique_ptr<Design> design;
    std::vector<std::shared_ptr<Listener>> listeners;
  };

  Time tend() noexcept;
  void reap_orphans() noexcept;
  bool serve_request() noexcept;
  Result<bool> obey(const Request&, std::vector<Socket>& descriptors);
  Result<bool> open(std::uint32_t number, std::vector<Socket>& descriptors);
  Result<std::shared_ptr<HostedService>> find(const Order::Bounds&) const;
  static bool close(Ward&) noexcept;
  static bool leave(Ward&) noexcept;
  void answer(const Result<bool>&) noexcept;

  const Socket channel_;
  const std::vector<std::shared_ptr<HostedService>> known_;
  std::map<std::uint32_t, Ward> wards_;
};

}  // namespace superd::nursery
