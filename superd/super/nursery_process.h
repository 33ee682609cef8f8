#pragma once

#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "superd/designs/design.h"
#include "superd/super/channel.h"
#include "superd/super/nursery_order.h"

namespace superd::nursery {

/// The nursery's side of the channel: opens what is ordered, and looks after it.
class Caretaker {
 public:
  using Services = std::vector<std::shared_ptr<HostedService>>;

  Caretaker(Channel channel, Services known, std::shared_ptr<const OwnPorts> own_ports)
      : channel_(std::move(channel)), known_(std::move(known)), own_ports_(std::move(own_ports)) {}

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
  Result<bool> obey(Message&);
  Result<bool> open(std::uint32_t number, std::string_view order, std::span<Socket> descriptors);
  Result<Services> services_of(const Order&, std::span<Socket>& boards);
  Result<std::shared_ptr<HostedService>> find(const Order::Served&, const Socket* board);
  void forget_unused() noexcept;
  static bool close(Ward&) noexcept;
  static bool leave(Ward&) noexcept;
  void answer(const Result<bool>&) noexcept;

  Channel channel_;
  const Services known_;  // never let go of: the descriptors of their memory are closed here, and others' by now
  Services learned_;
  const std::shared_ptr<const OwnPorts> own_ports_;
  std::map<std::uint32_t, Ward> wards_;
};

}  // namespace superd::nursery
