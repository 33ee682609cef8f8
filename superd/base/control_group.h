#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/confinement.h"
#include "superd/base/error.h"

namespace superd {

/// Where the calling process is in one hierarchy of control groups (cgroups(7)).
struct Hierarchy {
  std::string folder;            ///< of its own group, below the mount
  std::string_view controllers;  ///< of version 1: those of the mount, with commas; empty: version 2
  friend bool operator==(const Hierarchy&, const Hierarchy&) = default;
};
/// From the texts of /proc/self/mountinfo and /proc/self/cgroup; views into the first one.
[[nodiscard]] std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view own);

/// A control group, below the one of the process that made it, with the limits of a Share: one directory where the
/// controllers are in version 2, one for each controller in version 1. Gone with the object, unless somebody is in it.
/// One thread at a time.
class ControlGroup {
 public:
  /// The directory is called superd.PID.SERVICE. What a process that has died left behind there is cleared away.
  /// The error says which key of the configuration it is about.
  static Result<ControlGroup> make(const std::string& service, const Share&);
  /// The same in these hierarchies; a parameter for tests.
  static Result<ControlGroup> make(const std::string& service, const Share&, std::span<const Hierarchy>);
  ControlGroup(ControlGroup&&) noexcept = default;
  ControlGroup& operator=(ControlGroup&&) = delete;
  ~ControlGroup();

  /// Version 2: a child may be born in it (clone3(2)); -1: it cannot.
  [[nodiscard]] int birthplace() const noexcept { return birthplace_; }
  /// Files that whoever wants to be in the group writes a 0 to, when it was not born there.
  [[nodiscard]] const std::vector<int>& entries() const noexcept { return entries_; }

  /// Ends all that are in it, and what they make meanwhile.
  void kill() noexcept;

 private:
  ControlGroup() = default;
  Result<> add(const std::string& folder, bool is_second, const Share& limits, std::string_view controllers);

  // Moved from: empty.
  std::vector<std::string> folders_;
  std::vector<int> entries_;
  int birthplace_ = -1;
  bool was_killed_ = false;
};

}  // namespace superd
