#pragma once

#include <string>
#include <vector>

#include "superd/services/fsp/packet.h"

namespace superd {

struct FspEntry {
  FspStat stat;
  std::string name;
  friend bool operator==(const FspEntry&, const FspEntry&) = default;
};

/// A whole listing as get_directory hands it out, block by block: no entry crosses the border of two blocks, and the last
/// one says that it is the end. `block` is at least smallest_fsp_block.
[[nodiscard]] std::vector<std::byte> fsp_listing(std::span<const FspEntry> entries, std::size_t block);

/// Room for an entry whose name has 255 bytes, and for the end.
constexpr std::size_t smallest_fsp_block = 280;

/// Adds the entries of one block. True: more blocks follow; false: that was the end, or the rest is no entry.
bool parse_fsp_block(std::span<const std::byte> block, std::vector<FspEntry>& into);

}  // namespace superd
