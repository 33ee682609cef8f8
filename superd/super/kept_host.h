#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>

#include "superd/designs/back_off.h"
#include "superd/super/channel.h"
#include "superd/super/host_process.h"

namespace superd {

/// Which services a host has.
struct HostPlan {
  std::string name;   ///< among hosts
  std::string title;  ///< of its process, behind "superd:"
  bool runs_programs = false;
  std::set<std::string> services;

  [[nodiscard]] bool has(const std::string& service) const { return services.contains(service); }
};

/// A host as its keeper sees it: a process that is started, watched, told and ended. What it serves is the keeper's
/// affair. One thread makes the calls.
class KeptHost {
 public:
  explicit KeptHost(HostPlan plan);
  KeptHost(const KeptHost&) = delete;
  KeptHost& operator=(const KeptHost&) = delete;

  [[nodiscard]] const HostPlan& plan() const noexcept { return plan_; }
  void change_plan(HostPlan plan) { plan_ = std::move(plan); }
  [[nodiscard]] bool is_running() const noexcept { return process_ > 0; }
  [[nodiscard]] bool is_ending() const noexcept { return is_ending_; }
  [[nodiscard]] pid_t process() const noexcept { return process_; }

  /// Forks it, and waits until it serves. An error is its own word for why it does not. `make_post` is called in the new
  /// process, which may take what it inherits from this one.
  Result<> start(const std::function<HostPost()>& make_post, Millis heartbeat);

  /// Whether it did what it was told, and what went otherwise. One that does not answer is killed, for nobody knows what
  /// it has done.
  Result<> ask(HostVerb verb, std::string_view text, std::span<const int> descriptors);
  /// Tells it something that has no answer.
  void tell(HostVerb verb, std::string_view text = {}) noexcept;
  /// Lets it end, within this time; `how`: drain, or retire where other hosts have its services.
  void end(HostVerb how, Millis patience) noexcept;

  /// It has been reaped: sees to it that no process of its is left, and how its conversations ended where it drained.
  Drained bury() noexcept;
  void kill() const noexcept;

  /// When it shall be started anew.
  void plan_restart(Time now) noexcept { due_ = back_off_.next(now); }
  [[nodiscard]] bool is_due(Time now) const noexcept { return !is_running() && !is_ending_ && due_ <= now; }

  /// Looks whether it lives, where it is time to; kills it when it has owed its heartbeat for so long.
  void look(Time now, Millis heartbeat);
  [[nodiscard]] Time next_look() const noexcept;

 private:
  void begin_watch(Time now, Millis heartbeat) noexcept;

  HostPlan plan_;
  SharedMemory pulse_;
  Channel channel_;
  pid_t process_ = -1;
  bool is_ending_ = false;
  BackOff back_off_;
  Time due_ = never;
  Time look_at_ = never;
  std::uint64_t beats_ = 0;
  int missed_ = 0;
};

}  // namespace superd
