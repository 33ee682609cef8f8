#pragma once

#include "superd/net/datagram_batch.h"
#include "superd/serve/listener.h"

namespace superd {

/// Makes of what a raw listener received a payload with what is known of it, the same for IPv4 and IPv6: takes the
/// header off, and decides whether it may be answered (DatagramSlot::silent). False: it is no whole packet.
///
/// Never answered is what was sent to a group or a broadcast address, or by who is none (RFC 1122, 3.2.2). Nor, unless the
/// service tells its answers from requests, what may be an answer of its own: of this machine, which is what comes in by
/// the loopback interface, or at a listener of one address, of that.
[[nodiscard]] bool open_packet(DatagramSlot&, const Listener&) noexcept;

}  // namespace superd
