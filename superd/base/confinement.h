#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace superd {

/// What a program may not do although its user could. Plain values.
struct Confinement {
  /// Which system calls fail, with EPERM; base/seccomp.h tells which they are.
  enum class Filter : std::uint8_t { confined, no_network, no_new_programs };
  struct Group {
    std::string name;  ///< as it was asked for
    gid_t id = 0;
    friend bool operator==(const Group&, const Group&) = default;
  };

  std::optional<std::vector<Group>> groups;      ///< supplementary ones, instead of those of its user
  std::optional<std::vector<int>> capabilities;  ///< all that it has, or ever gains; none: as its user has them
  std::vector<Filter> filters;
  std::vector<std::string> read_paths, write_paths, execute_paths;  ///< all empty: whatever its user may
  bool best_effort = false;  ///< what this kernel cannot do of paths and shares is left out, instead of an error

  [[nodiscard]] bool has_paths() const noexcept {
    return !read_paths.empty() || !write_paths.empty() || !execute_paths.empty();
  }
  friend bool operator==(const Confinement&, const Confinement&) = default;
};

/// What all processes of a service's programs together may take of the machine: a control group. Plain values.
struct Share {
  std::optional<std::uint64_t> memory;  ///< bytes
  std::optional<int> processes;         ///< threads among them
  std::optional<int> cpu;               ///< percent of one processor

  [[nodiscard]] bool is_limited() const noexcept { return memory || processes || cpu; }
  friend bool operator==(const Share&, const Share&) = default;
};

}  // namespace superd
