#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "superd/serve/admission.h"
#include "superd/serve/answer_guard.h"
#include "superd/serve/handler_in_force.h"
#include "superd/serve/level.h"
#include "superd/serve/limits.h"
#include "superd/serve/program.h"
#include "superd/serve/refusal.h"
#include "superd/serve/scoreboard.h"

namespace superd {

/// A service as it is being served: its handler, and the bounds and counters of all its conversations, whatever their
/// listener, thread, process or engine. Shared by the listeners, and by conversations over connections until they have
/// ended; thread-safe. What changes in it lies on the scoreboard.
struct HostedService : std::enable_shared_from_this<HostedService> {
  /// On a scoreboard that somebody else has made, and may have been served on before; without one, on a new one.
  HostedService(std::string service_name, std::shared_ptr<Service> handler, const Limits& bounds,
                std::shared_ptr<const OwnPorts> own_ports, std::shared_ptr<const Scoreboard> its_board = nullptr)
      : name(std::move(service_name)),
        service(std::move(handler)),
        limits(bounds),
        shared_board(its_board ? std::move(its_board) : std::make_shared<const Scoreboard>(name)),
        board(*shared_board),
        level(board.seats(), {bounds.level, bounds.per_client, bounds.per_prefix}),
        counters(board.counters()),
        answers(board.answers(), *limits, std::move(own_ports)),
        admission(limits, board.connections()),
        refusals(name) {}

  /// Reads the files that its limits name; before it is served. `known`: as Admission::change() has it.
  Result<> read_files(const KnownSets* known = nullptr) { return admission.change(*limits, known); }

  /// Other limits from now on, also for those who are being served. An error, and nothing changed, when a file that they
  /// name cannot be read. One thread at a time.
  Result<> change(const Limits& wanted) {
    if (auto read = admission.change(wanted); !read) return read;
    limits.change(wanted);
    level.set_bounds({wanted.level, wanted.per_client, wanted.per_prefix});
    answers.change(*limits);
    return {};
  }

  /// Clears away what a process left behind that has died: its row, and its seats as Level::release_process() does.
  int release_process(pid_t process, Counter* as = nullptr) noexcept {
    board.workers().release_process(process);
    return level.release_process(static_cast<std::uint32_t>(process), as);
  }

  const std::string name;
  HandlerInForce service;          ///< null where a program serves
  std::optional<Program> program;  ///< of the process that serves, which reads it in one thread
  LimitsInForce limits;
  const std::shared_ptr<const Scoreboard> shared_board;
  const Scoreboard& board;
  Level level;
  Counters& counters;
  AnswerGuard answers;
  Admission admission;
  RefusalLog refusals;
};

}  // namespace superd
