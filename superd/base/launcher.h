#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "superd/base/capabilities.h"
#include "superd/base/control_group.h"
#include "superd/base/error.h"
#include "superd/base/landlock.h"
#include "superd/base/launch.h"
#include "superd/base/spawn.h"

namespace superd {

struct ChildPlan;

/// Starts one program, again and again: what that needs is made once. One thread at a time; its children belong to the
/// thread that calls start().
class Launcher {
 public:
  /// An error where superd has not the rights for what is wanted, or the kernel not the means, which begins with the key
  /// of the configuration. `name`: of its control group, where it has one. Signals that this process ignores are asked
  /// for now.
  static Result<Launcher> make(const Launch&, const std::string& name = "program");

  /// The child has these descriptors as its standard input, output and errors, and none beside them but `listeners`,
  /// from 3 on, of which it is told as sd_listen_fds(3) has it (LISTEN_PID and LISTEN_FDS; LISTEN_FDNAMES is the
  /// caller's to add). It leads a process group of its own; no signal is blocked in it, and no standard one ignored. `more` is
  /// added to its environment.
  ///
  /// Nothing of this process is copied, however big it is: the calling thread waits until the program runs. What fails
  /// before that, execve(2) included, is the error returned.
  [[nodiscard]] Result<Spawned> start(const std::array<int, 3>& streams, std::span<const std::string> more = {},
                                      std::span<const int> listeners = {});

  /// Ends all programs that are in its control group, and what came from them; without a group it does nothing.
  void kill_group() noexcept;
  /// Removes it, unless somebody is in it; no program can be started any more.
  void drop_group() noexcept { group_.reset(); }
  [[nodiscard]] bool has_group() const noexcept { return group_.has_value(); }
  /// What of the wish was left out, as best_effort has it; empty: nothing.
  [[nodiscard]] const std::string& left_out() const noexcept { return left_out_; }
  /// Paths are all that it has.
  [[nodiscard]] bool has_paths() const noexcept { return landlock_.is_wanted(); }

 private:
  explicit Launcher(const Launch&);
  Result<> confine(const std::string& name);
  static Result<Spawned> run(ChildPlan&, int birthplace);

  Launch wanted_;
  std::vector<char*> words_;  // whose address a filter may know
  std::vector<gid_t> groups_;
  std::optional<CapabilitySet> capabilities_;
  Landlock landlock_;
  std::vector<sock_filter> filter_;
  std::optional<ControlGroup> group_;
  std::uint32_t ignored_signals_ = 0;
  std::string left_out_;
};

}  // namespace superd
