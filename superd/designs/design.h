#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/serve/listener.h"

namespace superd {

/// What the configuration says about how a service is run; which fields count is the design's affair.
struct DesignSettings {
  std::string design = "event";
  std::string engine = "epoll";
  int loops = 1;    ///< threads of an event design
  int workers = 8;  ///< threads or processes of a preallocated design, for each listener

  friend bool operator==(const DesignSettings&, const DesignSettings&) = default;
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

  /// Ends what shutdown(2) on the connections does not end: sleeping handlers, above all. After close() was called.
  virtual void cut() noexcept = 0;

  /// Starts anew those of its processes that have died. To be called after each SIGCHLD, and at the time it returns.
  virtual Time tend() noexcept { return never; }
};

/// A row of the table of designs.
struct DesignEntry {
  std::string_view name;
  std::string_view what;
  bool uses_engine, uses_loops, uses_workers;
  Result<std::unique_ptr<Design>> (*make)(const DesignSettings&);
  bool forks = false;  ///< handlers run in other processes: open() in a process that has one thread
};

[[nodiscard]] std::span<const DesignEntry> designs() noexcept;
[[nodiscard]] const DesignEntry* find_design(std::string_view name) noexcept;

/// The design that the settings name, or an error that names those there are.
Result<std::unique_ptr<Design>> make_design(const DesignSettings&);

Result<std::unique_ptr<Design>> make_iterative(const DesignSettings&);
Result<std::unique_ptr<Design>> make_processes(const DesignSettings&);
Result<std::unique_ptr<Design>> make_preforked(const DesignSettings&);
Result<std::unique_ptr<Design>> make_threads(const DesignSettings&);
Result<std::unique_ptr<Design>> make_prethreaded(const DesignSettings&);
Result<std::unique_ptr<Design>> make_event(const DesignSettings&);

}  // namespace superd
