#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <new>
#include <vector>

#include "superd/designs/brood.h"
#include "superd/designs/design.h"
#include "superd/designs/program_errors.h"
#include "superd/designs/program_stand.h"
#include "superd/designs/supervised.h"
#include "superd/engines/blocking.h"
#include "superd/engines/engines.h"
#include "superd/serve/direct_path.h"
#include "superd/serve/door.h"

namespace superd {

namespace {

/// Where programs of the services write their errors to.
class ErrorOutputs {
 public:
  explicit ErrorOutputs(Engine& engine) : engine_(engine), nowhere_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {}

  /// Of a program that is given this socket.
  int of(HostedService& hosted, int client) {
    switch (hosted.program->errors) {
      case Program::Errors::log: break;
      case Program::Errors::client: return client;
      case Program::Errors::nowhere: return nowhere_.fd();
    }
    auto& log = logs_.try_emplace(&hosted, engine_, hosted).first->second;
    return log.writing_end() < 0 ? nowhere_.fd() : log.writing_end();
  }

 private:
  Engine& engine_;
  const Socket nowhere_;
  std::map<const HostedService*, ProgramErrors> logs_;
};

class PlaceInProcess final : public Placement {
 public:
  PlaceInProcess(Brood& brood, ErrorOutputs& errors) noexcept : brood_(brood), errors_(errors) {}

  bool place(HostedService& hosted, Socket& socket, Seat& seat) override {
    const auto born = hosted.program ? launch(hosted, socket, seat) : fork(hosted, socket, seat);
    if (born == Brood::Born::later) return false;
    // The connection must end when the child ends it.
    socket.reset();
    return true;
  }

  bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath&,
             Seat& seat) override {
    // The slot is copied by fork(2), and free again at once.
    const auto born = brood_.fork(*listener->hosted, listener->socket.fd(), seat, [&] {
      Blocking waiter;
      DirectPath path(listener);
      Seat held_by_parent = seat.shadow();
      Worker worker(*listener->hosted);
      converse(listener, slot, path, waiter, held_by_parent, &worker);
    });
    return born == Brood::Born::alive;
  }

 private:
  Brood::Born fork(HostedService& hosted, Socket& socket, Seat& seat) noexcept {
    return brood_.fork(hosted, socket.fd(), seat, [&] {
      Blocking waiter;
      Seat held_by_parent = seat.shadow();
      Worker worker(hosted);
      converse(hosted, socket, waiter, held_by_parent, &worker);
    });
  }

  Brood::Born launch(HostedService& hosted, const Socket& socket, Seat& seat) noexcept try {
    const int fd = socket.fd();
    return brood_.launch(hosted, {fd, fd, errors_.of(hosted, fd)}, environment_of_client(socket), seat);
  } catch (const std::bad_alloc&) {
    return Brood::Born::later;
  }

  Brood& brood_;
  ErrorOutputs& errors_;
};

/// Takes clients in at all its listeners, by one thread, and makes a child for each.
class Dispatcher final : public Supervisor {
 public:
  Dispatcher(Listeners listeners, std::unique_ptr<Engine> poll)
      : Supervisor(listeners, std::move(poll)), errors_(engine()), placement_(brood_, errors_) {}

 private:
  Result<> begin() override {
    // Once here, or each child that tells the local time reads the file of its zone.
    tzset();
    for (const auto& listener : listeners()) {
      // Should this process be killed, all its places are given back at once.
      listener->hosted->level.join_as_process(static_cast<std::uint32_t>(getpid()));
      const auto& program = listener->hosted->program;
      const int fd = listener->socket.fd();
      if (program && program->waits) {
        const int errors = errors_.of(*listener->hosted, fd);
        stands_.push_back(std::make_unique<ProgramStand>(listener, engine(), brood_, errors));
        continue;
      }
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
      doors_.push_back(std::make_unique<Door>(listener, engine(), placement_, Door::Manner{}));
    }
    for (const auto& door : doors_) door->open();
    for (const auto& stand : stands_) stand->open();
    return {};
  }

  void close() noexcept override {
    for (const auto& stand : stands_) stand->close();
    for (const auto& door : doors_)
      if (!door->is_closed()) door->close();
  }

  [[nodiscard]] bool is_closed() const noexcept override {
    return std::ranges::all_of(doors_, &Door::is_closed) && std::ranges::all_of(stands_, &ProgramStand::is_closed);
  }
  void cut() noexcept override { brood_.cut(); }
  void cut_at_once() noexcept override { brood_.kill(); }
  [[nodiscard]] bool has_children() const noexcept override { return !brood_.is_empty(); }
  void ended(pid_t child, int status, const rusage& used) noexcept override { brood_.ended(child, status, used); }
  Time tend(Time now) noexcept override { return brood_.tend(now); }

  Brood brood_;
  ErrorOutputs errors_;
  PlaceInProcess placement_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::unique_ptr<ProgramStand>> stands_;
};

}  // namespace

/// A process made on demand for each conversation (slides 39 to 44, 87), by one that listens: forked for a handler,
/// executed for a program.
Result<std::unique_ptr<Design>> make_processes(const DesignSettings&) {
  return std::make_unique<Supervised>("dispatcher", false,
                                      [](Listeners listeners) -> Result<std::unique_ptr<Supervisor>> {
                                        auto poll = make_poll();
                                        if (!poll) return std::unexpected(poll.error());
                                        return std::make_unique<Dispatcher>(listeners, std::move(*poll));
                                      });
}

}  // namespace superd
