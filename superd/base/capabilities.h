#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace superd {

/// The names of capabilities(7) without "cap_", by their numbers; as many as the kernel's headers know.
[[nodiscard]] std::span<const std::string_view> capability_names() noexcept;

/// The highest capability that this kernel has.
[[nodiscard]] int last_capability() noexcept;

/// Whether the calling thread may use it now.
[[nodiscard]] bool has_capability(int number) noexcept;

/// Those that the calling thread may use, or give to others: a bit each.
[[nodiscard]] std::uint64_t permitted_capabilities() noexcept;

/// What makes a set of capabilities the only ones of a process and of all that it executes: figured out beforehand, so
/// that the calls can be made in a child that shares its parent's memory (base/launch.cpp). Plain values.
class CapabilitySet {
 public:
  explicit CapabilitySet(std::span<const int> kept) noexcept;

  /// Cuts the bounding set, and lets the set be kept when the user changes: before that, as root.
  /// False: errno tells why.
  [[nodiscard]] bool prepare() const noexcept;
  /// Afterwards, as the user: has these, and so has what it executes (ambient).
  [[nodiscard]] bool take() const noexcept;

 private:
  std::uint64_t kept_ = 0;
  int last_ = 0;
};

}  // namespace superd
