#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/designs/decisions.h"
#include "superd/serve/listener.h"

namespace superd {

/// What the configuration says about how a service is run; which fields count is the design's affair.
struct DesignSettings {
  std::string design = "adaptive";
  std::string engine = "epoll";
  int loops = 0;    ///< of a design that has them; 0: one for `event`, one a processor for `adaptive`
  int workers = 8;  ///< threads or processes of a preallocated design, for each listener

  /// The most threads of a design that makes them as it needs them: those that serve or turn loops, and spares. 64
  /// threads that compute are far more than there are processors, and 64 that wait in calls of their own are a full
  /// level.
  int threads = 64;
  /// How long a conversation may keep the others waiting before they are handed to another thread; none: by what a
  /// hand-over costs here (designs/patience.h).
  std::optional<Millis> deadline{};
  /// Bytes of datagrams that may wait at each listener for a handler, beyond the socket's buffer, so that a burst is not
  /// lost while handlers are busy: 16 MiB hold sixty thousand small ones in each loop.
  std::uint64_t queue = 16 << 20;

  friend bool operator==(const DesignSettings&, const DesignSettings&) = default;
};

/// What a design tells of itself, for people; figures that do not apply are 0.
struct Report {
  int threads = 0, spares = 0;
  std::uint64_t hand_overs = 0;
  std::chrono::nanoseconds period{};  ///< how often it is looked whether somebody is late
  std::chrono::nanoseconds cost{};    ///< of a hand-over, as measured
  double late_share = 0;              ///< of the last conversations
  bool at_once = false;               ///< hands over before each conversation
  std::vector<Decisions::Decision> decisions{};
};

using Listeners = std::span<const std::shared_ptr<Listener>>;

/// Which thread serves a conversation, and when. Owns its threads and engines.
///
/// One thread at a time makes the calls. The services of its listeners must live as long as the design.
class Design {
 public:
  virtual ~Design() = default;

  /// Takes clients in at these listeners from now on. Those of one call share the threads that the design has for
  /// listening. May be called again for others.
  virtual Result<> open(Listeners listeners) = 0;

  /// Stops taking clients in, but for those in the backlog; conversations go on. True when nobody is taken in any more;
  /// false: call again in a while.
  virtual bool close() noexcept = 0;

  /// Stops taking clients in at once, because another design is about to open these listeners: those in the backlog are
  /// for that one; conversations go on. True when this one accepts and receives nothing any more; false: call again in a
  /// while.
  virtual bool leave() noexcept = 0;

  /// Whether it can take leave of some of its listeners, and take others to them, without the rest noticing. If not, a
  /// new design is made where they change.
  [[nodiscard]] virtual bool can_part() const noexcept { return false; }
  /// As close() and leave(), at these listeners alone, where can_part(). Once close_at() is true, nothing here refers to
  /// them any more but conversations; also after leave_at(), which close_at() then brings to its end.
  virtual bool close_at(Listeners) noexcept { return false; }
  virtual bool leave_at(Listeners) noexcept { return false; }
  /// Whether nobody is taken in at them any more, though conversations that came in there may be under way.
  [[nodiscard]] virtual bool has_closed_at(Listeners) const noexcept { return false; }

  /// After leave() or close(): nobody is being served here any more, so that the destructor need not wait.
  [[nodiscard]] virtual bool is_done() noexcept = 0;

  /// Ends what shutdown(2) on the connections does not end: sleeping handlers, above all. After close() was called.
  virtual void cut() noexcept = 0;

  /// Starts anew those of its processes that have died. To be called after each SIGCHLD, and at the time it returns.
  virtual Time tend() noexcept { return never; }

  /// Any thread.
  [[nodiscard]] virtual Report report() const { return {}; }
};

/// A row of the table of designs.
struct DesignEntry {
  std::string_view name;
  std::string_view what;
  bool uses_engine, uses_loops, uses_workers, uses_threads;
  Result<std::unique_ptr<Design>> (*make)(const DesignSettings&);
  bool forks = false;  ///< handlers run in other processes: open() in a process that has one thread
  bool runs_programs = false;
};

[[nodiscard]] std::span<const DesignEntry> designs() noexcept;
[[nodiscard]] const DesignEntry* find_design(std::string_view name) noexcept;

/// The design that the settings name, or an error that names those there are.
Result<std::unique_ptr<Design>> make_design(const DesignSettings&);

/// Whether there is such a design and such an engine, and whether they go together.
Result<> check_design(const DesignSettings&);

Result<std::unique_ptr<Design>> make_iterative(const DesignSettings&);
Result<std::unique_ptr<Design>> make_processes(const DesignSettings&);
Result<std::unique_ptr<Design>> make_preforked(const DesignSettings&);
Result<std::unique_ptr<Design>> make_threads(const DesignSettings&);
Result<std::unique_ptr<Design>> make_prethreaded(const DesignSettings&);
Result<std::unique_ptr<Design>> make_event(const DesignSettings&);
Result<std::unique_ptr<Design>> make_delayed(const DesignSettings&);
Result<std::unique_ptr<Design>> make_adaptive(const DesignSettings&);

}  // namespace superd
