#pragma once

#include "superd/base/clock.h"
#include "superd/services/files/file_settings.h"
#include "superd/services/tftp/packet.h"

namespace superd::tftp {

/// How a transfer is done: what the client asked for, within what the service allows. Pure.
struct Grant {
  Options told;  ///< what the client is told of it (OACK); none: there is no OACK
  std::size_t block_size = default_block;
  std::uint64_t window = 1;
  Millis timeout{0};  ///< 0: measured
};

/// `size`: of the file that is read.
[[nodiscard]] Grant grant_reading(const Request& request, const FileSettings& settings, std::uint64_t size);
[[nodiscard]] Grant grant_writing(const Request& request, const FileSettings& settings);

}  // namespace superd::tftp
