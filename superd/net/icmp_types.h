#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "superd/base/error.h"
#include "superd/net/icmp.h"

namespace superd {

/// What a type of ICMP is called in a configuration. The same thing has one name in both versions.
struct IcmpTypeName {
  std::string_view name;
  std::optional<std::uint8_t> v4, v6;
};
[[nodiscard]] std::span<const IcmpTypeName> icmp_type_names() noexcept;

/// The type that is written so, a name or a number; none where this version has none that is called so.
[[nodiscard]] std::optional<std::uint8_t> icmp_type_of(std::string_view text, IcmpVersion version) noexcept;

/// Lets an ICMP socket receive these types alone, from now on; where there is none, all (ICMP_FILTER, ICMP6_FILTER).
[[nodiscard]] Result<> pass_icmp_types(int socket, IcmpVersion version, std::span<const std::uint8_t> types,
                                       const std::string& where);

}  // namespace superd
