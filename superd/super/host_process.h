#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "superd/base/launch.h"
#include "superd/base/shared_memory.h"
#include "superd/super/bind.h"
#include "superd/super/channel.h"
#include "superd/super/host.h"
#include "superd/super/host_order.h"
#include "superd/super/life.h"

namespace superd {

/// What a host and its keeper share: that the host lives.
struct Pulse {
  std::atomic<std::uint64_t> beats;
};

using Boards = std::map<std::string, std::shared_ptr<const Scoreboard>>;

/// All that a host begins with. It inherits this from the keeper that forks it.
struct HostPost {
  std::string name;  ///< of the process, behind "superd:"
  ServiceTable table;
  std::vector<BoundListener> listeners;
  Boards boards;
  std::shared_ptr<OverallLevel> overall;  ///< that all hosts share; null: there is none
  std::shared_ptr<OwnPorts> own_ports;    ///< of all hosts, which the keeper keeps
  Channel keeper;
  const SharedMemory* pulse = nullptr;
  /// Starts programs, which needs the privileges that there are; else they are given up, for this user's.
  bool runs_programs = false;
  std::optional<Launch::Identity> user;
  Millis heartbeat{10'000};
  std::optional<KnownSets>
      known_sets;  ///< of one that takes the place of another that has died: see Host::go_on_with()
};

/// The process that serves: a Host, and the channel over which its keeper tells it what to do. One thread runs it; the
/// designs have theirs.
class HostProcess {
 public:
  explicit HostProcess(HostPost post) : post_(std::move(post)) {}

  /// In a new process of one thread, which ends here: 0 when it has drained, 1 when conversations were cut, 111 when it
  /// cannot serve. When the keeper is gone, it drains.
  [[noreturn]] void run() noexcept;

 private:
  Result<> begin();
  ExitCode serve_orders();
  void change(Message&);
  Result<std::vector<BoundListener>> take_parts(const HostOrder&, std::vector<Socket>& descriptors);
  ExitCode drain_for(Millis patience) noexcept;
  bool must_hurry() noexcept;
  void answer(const Result<>&) noexcept;
  void beat() noexcept { post_.pulse->as<Pulse>().beats.fetch_add(1, std::memory_order_relaxed); }

  HostPost post_;
  std::unique_ptr<Host> host_;
  Time hurry_at_ = never;  ///< while it drains
  bool is_stuck_ = false;  ///< a handler did not return
};

}  // namespace superd
