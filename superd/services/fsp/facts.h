#pragma once

#include <algorithm>
#include <cstdint>

#include "superd/services/files/tree.h"
#include "superd/services/fsp/packet.h"

namespace superd {

/// What FSP can tell of a file: of one beyond 4 GiB, or of a time before 1970 or after 2106, the nearest there is.
[[nodiscard]] inline FspStat fsp_stat_of(const FileFacts& facts) noexcept {
  constexpr std::uint64_t most = UINT32_MAX;
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(facts.modified.seconds, 0));
  return {static_cast<std::uint32_t>(std::min(seconds, most)), static_cast<std::uint32_t>(std::min(facts.size, most)),
          facts.is_directory() ? FspType::directory : FspType::file};
}

}  // namespace superd
