#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <new>
#include <vector>

#include "superd/designs/brood.h"
#include "superd/designs/design.h"
#include "superd/designs/place_program.h"
#include "superd/designs/program_stand.h"
#include "superd/designs/program_starter.h"
#include "superd/designs/supervised.h"
#include "superd/engines/blocking.h"
#include "superd/engines/engines.h"
#include "superd/serve/direct_path.h"
#include "superd/serve/door.h"

namespace superd {

namespace {

class PlaceInProcess final : public Placement {
 public:
  explicit PlaceInProcess(Brood& brood) noexcept : brood_(brood) {}

  bool place(HostedService& hosted, Socket& socket, Seat& seat) override {
    const auto born = brood_.fork(hosted, socket.fd(), seat, [&] {
      Blocking waiter;
      Seat held_by_parent = seat.shadow();
      Worker worker(hosted);
      converse(hosted, socket, waiter, held_by_parent, &worker);
    });
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
  Brood& brood_;
};

/// Takes clients in at all its listeners, by one thread, and makes a child for each.
class Dispatcher final : public Supervisor {
 public:
  Dispatcher(Listeners listeners, std::unique_ptr<Engine> engine)
      : Supervisor(listeners, std::move(engine)), placement_(brood_) {}

 private:
  Result<> begin() override {
    // Once here, or each child that tells the local time reads the file of its zone.
    tzset();
    // Whoever outlives the program that made it is ours, to be cut with the others.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    leave_terminal();
    for (const auto& listener : listeners()) {
      // Should this process be killed, all its places are given back at once.
      listener->hosted->level.join_as_process(static_cast<std::uint32_t>(getpid()));
      if (auto added = add(listener); !added) return added;
    }
    for (auto& [hosted, service] : programs_) add_stand_of_all(service);
    for (const auto& door : doors_) door->open();
    for (const auto& stand : stands_) stand->open();
    return {};
  }

  /// A service whose programs are started here.
  struct OfProgram {
    std::unique_ptr<ProgramStarter> starter;
    PlaceProgram place;
    std::vector<std::shared_ptr<Listener>> passed{};  ///< together, to a program that waits
  };

  Result<> add(const std::shared_ptr<Listener>& listener) {
    auto& hosted = *listener->hosted;
    if (!hosted.program) {
      add_door(listener, placement_);
      return {};
    }
    auto found = programs_.find(&hosted);
    if (found == programs_.end()) {
      auto starter = ProgramStarter::make(hosted, engine(), brood_);
      if (!starter) return std::unexpected(starter.error());
      auto& place = **starter;
      found = programs_.try_emplace(&hosted, std::move(*starter), PlaceProgram(place)).first;
    }
    if (!hosted.program->waits)
      add_door(listener, found->second.place);
    else if (hosted.program->pass == Program::Pass::listen_fds)
      found->second.passed.push_back(listener);
    else
      add_stand({listener}, *found->second.starter);
    return {};
  }

  void add_door(const std::shared_ptr<Listener>& listener, Placement& placement) {
    const int fd = listener->socket.fd();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    doors_.push_back(std::make_unique<Door>(listener, engine(), placement, Door::Manner{}));
  }
  void add_stand(std::vector<std::shared_ptr<Listener>> at, ProgramStarter& starter) {
    stands_.push_back(std::make_unique<ProgramStand>(std::move(at), engine(), starter));
  }
  void add_stand_of_all(OfProgram& service) {
    if (!service.passed.empty()) add_stand(service.passed, *service.starter);
  }

  void close() noexcept override {
    for (const auto& stand : stands_) stand->close();
    for (const auto& door : doors_)
      if (!door->is_closed()) door->close();
  }

  [[nodiscard]] bool is_closed() const noexcept override {
    return std::ranges::all_of(doors_, &Door::is_closed) && std::ranges::all_of(stands_, &ProgramStand::is_closed);
  }
  void cut() noexcept override {
    was_cut_ = true;
    brood_.cut();
  }
  // What programs left behind on purpose stays when all of them have come to their end; else there was no time for that.
  void cut_at_once() noexcept override {
    was_cut_ = was_cut_ || has_children();
    brood_.kill();
    if (!was_cut_) return;
    for (auto& [hosted, service] : programs_) service.starter->kill_group();
    kill_children();
  }
  void clear_away() noexcept override {
    for (auto& [hosted, service] : programs_) service.starter->drop_group();
  }
  [[nodiscard]] bool has_children() const noexcept override { return !brood_.is_empty(); }
  void ended(pid_t child, int status, const rusage& used) noexcept override { brood_.ended(child, status, used); }
  Time tend(Time now) noexcept override { return brood_.tend(now); }

  Brood brood_;
  PlaceInProcess placement_;
  std::map<const HostedService*, OfProgram> programs_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::unique_ptr<ProgramStand>> stands_;
  bool was_cut_ = false;
};

}  // namespace

/// A process made on demand for each conversation (slides 39 to 44, 87), by one that listens: forked for a handler,
/// executed for a program.
Result<std::unique_ptr<Design>> make_processes(const DesignSettings&) {
  return std::make_unique<Supervised>("dispatcher", false,
                                      [](Listeners listeners) -> Result<std::unique_ptr<Supervisor>> {
                                        auto engine = make_epoll();
                                        if (!engine) return std::unexpected(engine.error());
                                        return std::make_unique<Dispatcher>(listeners, std::move(*engine));
                                      });
}

}  // namespace superd
