#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "superd/serve/answer_guard.h"
#include "superd/serve/level.h"
#include "superd/serve/limits.h"
#include "superd/serve/program.h"
#include "superd/serve/scoreboard.h"
#include "superd/serve/service.h"

namespace superd {

/// A service as it is being served: its handler, and the bounds and counters of all its conversations, whatever their
/// listener, thread, process or engine. Shared by the listeners; thread-safe. What changes in it lies on the scoreboard.
struct HostedService {
  /// On a scoreboard that somebody else has made, and may have been served on before; without one, on a new one.
  HostedService(std::string service_name, std::shared_ptr<Service> handler, const Limits& bounds,
                std::shared_ptr<const OwnPorts> own_ports, std::shared_ptr<const Scoreboard> its_board = nullptr)
      : name(std::move(service_name)),
        service(std::move(handler)),
        limits(bounds),
        shared_board(its_board ? std::move(its_board) : std::make_shared<const Scoreboard>(name)),
        board(*shared_board),
        level(board.seats(), bounds.level, bounds.per_client),
        counters(board.counters()),
        answers(board.answers(), *limits, std::move(own_ports)) {}

  /// Other limits from now on, also for those who are being served. One thread at a time.
  void change(const Limits& wanted) {
    limits.change(wanted);
    level.set_bounds(wanted.level, wanted.per_client);
    answers.change(*limits);
  }

  /// Clears away what a process left behind that has died: its row, and its seats as Level::release_process() does.
  int release_process(pid_t process, Counter* as = nullptr) noexcept {
    board.workers().release_process(process);
    return level.release_process(static_cast<std::uint32_t>(process), as);
  }

  const std::string name;
  const std::shared_ptr<Service> service;  ///< null where a program serves
  std::optional<Program> program;          ///< set before it is served
  LimitsInForce limits;
  const std::shared_ptr<const Scoreboard> shared_board;
  const Scoreboard& board;
  Level level;
  Counters& counters;
  AnswerGuard answers;
};

}  // namespace superd
