#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "superd/async/task.h"
#include "superd/base/clock.h"
#include "superd/net/endpoint.h"

namespace superd {

class Connection;
class Datagram;

/// What a service sends to groups of its own accord.
struct Announcement {
  std::string text;      ///< one datagram
  std::string farewell;  ///< the last one, at its end
  Millis every{0};       ///< 0: it does not
};

/// A protocol, written once. Runs unchanged under every design and engine.
///
/// One Service object serves all conversations of its service, from several threads at once: what serve() changes in it
/// must be safe for that. The Connection or Datagram lives until the task has ended.
/// An exception that leaves serve() ends that conversation alone and is counted; what clients do throws none.
/// An awaited expression is a plain call with names, scalars and spans as arguments (CONTRIBUTING.md tells why).
class Service {
 public:
  virtual ~Service() = default;

  /// Serves one connection to its end; it is closed, gracefully, when the task ends.
  virtual task<> serve(Connection& client);
  /// Answers one datagram.
  virtual task<> serve(Datagram& request);

  /// True where the datagram shows that its sender receives what is sent to that address, as by a number that only an
  /// answer can have told: Limits::answer_rate and amplification do not hold for it then. Asked of each datagram before it
  /// has a place, by any thread, so it must be quick. Who never answers says true of everything.
  virtual bool recognises(const Endpoint& /*from*/, std::span<const std::byte> /*request*/) noexcept { return false; }

  /// True where a packet that it sends over a raw listener is none that it would answer, as a reply is no request. Else what
  /// may have been sent by this service itself is shown to it and never answered: there are no ports by which to tell
  /// (serve/packets.h).
  [[nodiscard]] virtual bool tells_answers_from_requests() const noexcept { return false; }

  /// What is sent, over its own listeners, to the groups that those are in (ListenOptions::multicast). Asked for each time
  /// anew, in one thread.
  [[nodiscard]] virtual Announcement announcement() const { return {}; }
};

}  // namespace superd
