#pragma once

#include <string_view>

#include "superd/serve/datagram.h"
#include "superd/services/files/tree.h"
#include "superd/services/fsp/packet.h"

namespace superd {

/// A request that is being answered: what was asked, of whom, and with which key the answer goes back.
struct FspAsked {
  Datagram& request;
  FspPacket packet;
  std::uint16_t key;  ///< of the answers

  void answer(std::span<const std::byte> data = {}, std::span<const std::byte> extra = {},
              std::uint32_t position = 0) const;
  /// Its data are in `bytes` behind the header already.
  void answer_in_place(std::span<std::byte> bytes) const;
  void refuse(std::string_view why) const;
  void refuse(FileFault why) const;
};

}  // namespace superd
