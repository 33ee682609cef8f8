#pragma once

#include <memory>

#include "superd/async/task.h"
#include "superd/net/socket.h"
#include "superd/serve/datagram.h"
#include "superd/serve/listener.h"
#include "superd/serve/worker.h"

namespace superd {

/// The root of every conversation over a connection, where all designs meet: runs the service's handler on `waiter`, ends
/// the connection gracefully, counts, and gives the seat back. Begins in the calling thread; under a Blocking waiter it has
/// ended when the call returns. Takes over `socket` and `seat`, unless it throws std::bad_alloc for want of a frame: then
/// they are as they were. `hosted` is shared until the end, and `worker`, which serves it, must live until then.
detached converse(HostedService& hosted, Socket& socket, Waiter& waiter, Seat& seat, Worker* worker = nullptr);

/// The same for a datagram. When the handler ends without waiting, as most do, no frame of a root is needed, and the
/// slot comes back for the next datagram. Otherwise the conversation keeps the slot, goes on on `waiter`, answers by
/// itself over `listener`, and `slot` is null. `path` takes the answers that are given before the first wait. It begins
/// where the waiter last looked at the clock, or was received, and looks at its end: in a batch, the end of one datagram
/// is the beginning of the next, and each costs one look.
void converse(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
              Waiter& waiter, Seat& seat, Worker* worker = nullptr);

/// Adds what an Outbox has sent to the service's counters.
void count_sent(Counters&, const Outbox::Sent&) noexcept;

}  // namespace superd
