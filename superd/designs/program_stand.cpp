#include "superd/designs/program_stand.h"

#include <sys/epoll.h>

#include "superd/base/log.h"

namespace superd {

namespace {

// How soon it is asked again for a place, or a process, where there was none.
constexpr Millis pause{100};

Socket watch_all(const std::vector<std::shared_ptr<Listener>>& listeners) {
  if (listeners.size() == 1) return {};
  Socket all(epoll_create1(EPOLL_CLOEXEC));
  for (const auto& listener : listeners) {
    epoll_event event{};
    event.events = EPOLLIN;
    (void)epoll_ctl(all.fd(), EPOLL_CTL_ADD, listener->socket.fd(), &event);
  }
  return all;
}

std::string_view protocol_of(Transport transport) noexcept {
  if (transport == Transport::unix_stream) return "UNIX";
  if (transport == Transport::raw) return "RAW";
  return is_stream(transport) ? "TCP" : "UDP";
}

// UCSPI's PROTO; names as sd_listen_fds_with_names(3) has them.
std::vector<std::string> environment_at(const std::vector<std::shared_ptr<Listener>>& listeners) {
  const auto& hosted = *listeners.front()->hosted;
  std::vector<std::string> all{"SERVICE=" + hosted.name};
  if (hosted.program->pass == Program::Pass::standard_input) {
    all.push_back("PROTO=" + std::string(protocol_of(listeners.front()->transport)));
    return all;
  }
  std::string names = "LISTEN_FDNAMES=" + hosted.name;
  for (std::size_t i = 1; i < listeners.size(); ++i) names += ":" + hosted.name;
  all.push_back(std::move(names));
  return all;
}

}  // namespace

ProgramStand::ProgramStand(std::vector<std::shared_ptr<Listener>> listeners, Engine& engine, ProgramStarter& starter)
    : listeners_(std::move(listeners)),
      engine_(engine),
      starter_(starter),
      environment_(environment_at(listeners_)),
      all_(watch_all(listeners_)) {}

void ProgramStand::close() noexcept {
  if (closing_) return;
  closing_ = true;
  engine_.cancel(waiting_);
}

void ProgramStand::child_ended(const ProgramEnd&) noexcept {
  is_running_ = false;
  engine_.signal(waiting_);
}

detached ProgramStand::stand() {
  while (!closing_) {
    waiting_.fd = all_.is_open() ? all_.fd() : listeners_.front()->socket.fd();
    waiting_.kind = Kind::readable;
    waiting_.deadline = never;
    co_await Wait(engine_, waiting_);
    if (closing_) break;
    const Time again = start();
    // In the wheel, not at the listener: who is there now is the program's.
    engine_.forget(waiting_);
    waiting_.fd = -1;
    waiting_.kind = is_running_ ? Kind::signal : Kind::sleep;
    waiting_.deadline = again;
    co_await Wait(engine_, waiting_);
    if (closing_ || is_running_) break;
    const Time due = back_off_.next(Clock::now());
    if (due <= Clock::now()) continue;
    starter_.hosted().counters.held_back.add();
    if (back_off_.has_begun()) tell_pause();
    waiting_.kind = Kind::sleep;
    waiting_.deadline = due;
    co_await Wait(engine_, waiting_);
  }
  is_closed_ = true;
}

void ProgramStand::tell_pause() const noexcept {
  log_event(
      Severity::warning, "program ends again and again",
      {
          {"service", starter_.hosted().name                                 },
          {"then",    "it is started after a pause, which grows to 5 seconds"}
  });
}

Time ProgramStand::start() noexcept try {
  auto& hosted = starter_.hosted();
  auto seat = hosted.level.take();
  if (!seat) {
    hosted.counters.full.add();
    return Clock::now() + pause;
  }
  const bool passes_all = hosted.program->pass == Program::Pass::listen_fds;
  std::vector<int> passed;
  if (passes_all)
    for (const auto& listener : listeners_) passed.push_back(listener->socket.fd());
  const int input = passes_all ? -1 : listeners_.front()->socket.fd();
  switch (starter_.start(input, environment_, *seat, *this, passed)) {
    case Brood::Born::alive: is_running_ = true; return never;
    case Brood::Born::later: hosted.counters.out_of_threads.add(); break;
    case Brood::Born::not_at_all: break;
  }
  return Clock::now() + pause;
} catch (const std::bad_alloc&) {
  return Clock::now() + pause;
}

}  // namespace superd
