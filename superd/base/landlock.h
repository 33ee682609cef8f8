#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/confinement.h"

namespace superd {

/// The version of Landlock that this kernel has (landlock(7)); 0: none, or it is switched off.
[[nodiscard]] int landlock_version() noexcept;
/// What a kernel with this version lets programs do beside the paths they have; empty: nothing that superd knows of.
[[nodiscard]] std::string_view landlock_leaves_open(int version) noexcept;

/// The paths a process may open, and nothing beside them, by landlock(7): as far as the kernel's version goes. Figured
/// out beforehand, so that the calls can be made in a child that shares its parent's memory (base/launch.cpp).
///
/// Paths are looked up when open() is called, not before: what was replaced since, by an upgrade say, is what counts.
class Landlock {
 public:
  explicit Landlock(const Confinement&);

  /// Where there is Landlock, and paths were given.
  [[nodiscard]] bool is_wanted() const noexcept { return handled_ != 0; }

  struct Opened {
    int rules = -1;                ///< a descriptor; -1: errno tells why not
    const char* failed = nullptr;  ///< the path that is not there, or what was tried
  };
  /// Looks the paths up: before rights are given up, and after the root has changed.
  [[nodiscard]] Opened open() const noexcept;
  /// From here on nothing else can be opened by the calling process. To come after PR_SET_NO_NEW_PRIVS.
  [[nodiscard]] static bool enter(int rules) noexcept;

 private:
  struct Rule {
    std::string path;
    std::uint64_t rights;
  };
  void allow(const std::vector<std::string>& paths, std::uint64_t rights);
  [[nodiscard]] static bool add(int rules, const Rule&) noexcept;

  std::uint64_t handled_ = 0;
  std::vector<Rule> rules_;
};

}  // namespace superd
