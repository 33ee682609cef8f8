#include "superd/designs/place_program.h"

#include <new>

#include "superd/base/log.h"

namespace superd {

bool PlaceProgram::place(HostedService& hosted, Socket& socket, Seat& seat) try {
  auto environment = environment_of_client(socket);
  environment.push_back("SERVICE=" + hosted.name);
  switch (starter_.start(socket.fd(), environment, seat, *this)) {
    case Brood::Born::alive: break;
    case Brood::Born::not_at_all: hold_back(); break;
    case Brood::Born::later:
      if (Clock::now() - seat.taken_in() < hosted.limits->total) return false;
      hosted.counters.timed_out_total.add();
      socket.close_with_reset();
      seat.leave();
      break;
  }
  // The connection must end when the program ends it.
  socket.reset();
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool PlaceProgram::place(const std::shared_ptr<Listener>&, std::unique_ptr<DatagramSlot>&, AnswerPath&, Seat& seat) {
  seat.leave();
  return true;
}

void PlaceProgram::child_ended(const ProgramEnd& end) noexcept {
  if (end.went_well) {
    back_off_.forget();
    due_ = {};
  }
  if (end.died_at_once) hold_back();
}

void PlaceProgram::hold_back() noexcept {
  const Time now = Clock::now();
  due_ = back_off_.next(now);
  if (due_ <= now) return;
  auto& hosted = starter_.hosted();
  hosted.counters.held_back.add();
  if (!back_off_.has_begun()) return;
  log_event(Severity::warning, "program dies again and again",
            {
                {"service", hosted.name                                                                          },
                {"then",    "clients wait in the backlog for a pause, which grows to a second, until it does not"}
  });
}

}  // namespace superd
