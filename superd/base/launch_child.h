#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <span>

#include "superd/base/capabilities.h"
#include "superd/base/landlock.h"
#include "superd/base/launch.h"

namespace superd {

/// What a child needs to become a program, and tells its parent when it does not: they have the same memory while the
/// one waits for the other. All of it is borrowed.
struct ChildPlan {
  const Launch& wanted;
  std::span<const gid_t> groups{};
  const CapabilitySet* capabilities = nullptr;
  const Landlock* landlock = nullptr;
  std::span<sock_filter> filter{};
  std::span<const int> group_entries{};
  bool is_born_in_group = false;  ///< where spawn() could
  std::uint32_t ignored_signals = 0;

  std::array<int, 3> streams{};
  std::span<int> listeners{};  ///< which it writes to
  char* listen_pid = nullptr;  ///< where its own number is to be written, with a NUL
  char* const* words = nullptr;
  char* const* environment = nullptr;

  const char* failed = nullptr;  ///< the call that did
  const char* at = nullptr;      ///< what that was about, if there is more to say
  int code = 0;
};

/// For spawn(): returns when the program could not be executed.
int become_program(void* plan) noexcept;

}  // namespace superd
