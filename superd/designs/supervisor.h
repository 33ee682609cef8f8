#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "superd/async/task.h"
#include "superd/designs/design.h"
#include "superd/engines/engine.h"
#include "superd/net/socket.h"

namespace superd {

/// A process of one thread that a design keeps for the listeners of one open(): it may fork at any time. It turns an
/// engine, hears over a channel what the design asks, and reaps its children. What they do is the derived class's.
///
/// It ends when the other side of the channel is gone. Where that said so before (`end`), it leaves nobody behind; else
/// whoever had the design has died, and programs that serve clients go on.
class Supervisor {
 public:
  /// What crosses the channel: a message of one byte, but for `failed`, which is followed by the reason.
  enum class Word : char { close = 'c', leave = 'l', cut = 'x', end = 'e', opened = 'o', failed = 'f', closed = 'd' };

  Supervisor(Listeners listeners, std::unique_ptr<Engine> engine)
      : listeners_(listeners.begin(), listeners.end()), engine_(std::move(engine)) {}
  virtual ~Supervisor() = default;
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// In the new process, which ends here.
  [[noreturn]] void run(Socket channel) noexcept;

 protected:
  virtual Result<> begin() = 0;
  /// Stops taking clients in, but for those in the backlog. Repeated until is_closed().
  virtual void close() noexcept = 0;
  /// The same for who leaves the listeners to another design: their mode is that one's affair.
  virtual void leave() noexcept { close(); }
  [[nodiscard]] virtual bool is_closed() const noexcept = 0;
  /// Ends all children, some of them perhaps after a while.
  virtual void cut() noexcept = 0;
  /// Ends them at once.
  virtual void cut_at_once() noexcept { cut(); }
  /// The last thing before the process ends.
  virtual void clear_away() noexcept {}
  [[nodiscard]] virtual bool has_children() const noexcept = 0;
  virtual void ended(pid_t child, int status, const rusage& used) noexcept = 0;
  /// Does what is due; returns when something is due next.
  virtual Time tend(Time now) noexcept = 0;

  [[nodiscard]] Engine& engine() noexcept { return *engine_; }
  [[nodiscard]] Listeners listeners() const noexcept { return listeners_; }

 private:
  Result<> prepare() noexcept;
  detached hear();
  detached reap_when_told();
  void obey(Word) noexcept;
  void reap() noexcept;
  void let_go() noexcept;
  void tell(Word, const std::string& why = {}) noexcept;
  [[noreturn]] void end() noexcept;

  const std::vector<std::shared_ptr<Listener>> listeners_;
  const std::unique_ptr<Engine> engine_;
  Socket channel_, deaths_;
  Operation hearing_, reaping_;
  bool ending_ = false;
  bool was_told_to_end_ = false;
  bool said_closed_ = false;
};

}  // namespace superd
