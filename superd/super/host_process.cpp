#include "superd/super/host_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <utility>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/engines/poll_timeout.h"
#include "superd/super/privileges.h"
#include "superd/super/show.h"

namespace superd {

namespace {

// The keeper is small and waits for nobody but us: who finds its channel full for so long has lost it.
constexpr Seconds patience{5};
// Several beats within the time that the keeper waits for one.
constexpr int beats_a_heartbeat = 4;

Millis millis_in(std::string_view text) noexcept {
  Millis::rep number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return Millis{number};
}

}  // namespace

void HostProcess::run() noexcept {
  auto code = ExitCode::try_again;
  try {
    forget_signal_handlers();
    name_process("superd:" + post_.name);
    const auto begun = begin();
    answer(begun);
    if (begun) code = serve_orders();
    // Their threads would be waited for without end.
    if (!is_stuck_) host_.reset();
  } catch (const std::exception& failure) {
    log_event(Severity::error, "a host fails",
              {
                  {"host", post_.name    },
                  {"why",  failure.what()}
    });
  }
  std::_Exit(std::to_underlying(code));
}

Result<> HostProcess::begin() {
  std::vector<int> kept{post_.keeper.fd(), post_.pulse->fd()};
  for (const auto& listener : post_.listeners) kept.push_back(listener.socket.fd());
  for (const auto& [service, board] : post_.boards) kept.push_back(board->fd());
  keep_descriptors(kept);
  if (!post_.runs_programs)
    if (auto dropped = drop_privileges(post_.user); !dropped) return dropped;
  host_ = std::make_unique<Host>();
  if (post_.runs_programs)
    host_->fork_from_here();
  else
    host_->prepare_changes();
  if (post_.overall) host_->share(post_.overall);
  host_->share(post_.own_ports);
  if (post_.known_sets) host_->go_on_with(std::move(*post_.known_sets));
  for (const auto& [service, board] : post_.boards) host_->use_board(service, board);
  return host_->serve(post_.table, std::move(post_.listeners));
}

ExitCode HostProcess::serve_orders() {
  const Socket deaths(signal_descriptor({SIGCHLD}));
  pollfd watched[] = {
      {.fd = post_.keeper.fd(), .events = POLLIN},
      {.fd = deaths.fd(),       .events = POLLIN}
  };
  for (;;) {
    beat();
    // Before the wait, also: a child may have died before its signal was listened to.
    if (!host_->tend()) return ExitCode::try_again;
    const Time next = std::min(host_->next_tending(), Clock::now() + post_.heartbeat / beats_a_heartbeat);
    poll_until(watched, next);
    signalfd_siginfo told;
    while (read(deaths.fd(), &told, sizeof told) > 0) continue;
    if (!watched[0].revents) continue;
    auto message = post_.keeper.receive(Clock::now() + patience);
    // Who has no keeper has nobody to be replaced by: others will listen here soon.
    if (!message || !*message) return drain_for(post_.table.drain);
    switch (static_cast<HostVerb>((*message)->verb)) {
      case HostVerb::change: change(**message); break;
      case HostVerb::report: log_reports(*host_); break;
      case HostVerb::retire: host_->retire(); return drain_for(millis_in((*message)->text));
      case HostVerb::drain: return drain_for(millis_in((*message)->text));
      case HostVerb::cut: return drain_for(Millis{0});
      case HostVerb::done:
      case HostVerb::failed: break;
    }
  }
}

// Asked again and again while it drains.
bool HostProcess::must_hurry() noexcept {
  beat();
  pollfd watched{.fd = post_.keeper.fd(), .events = POLLIN};
  if (!post_.keeper.is_open() || poll(&watched, 1, 0) <= 0) return Clock::now() >= hurry_at_;
  const auto message = post_.keeper.receive(Clock::now());
  if (!message || !*message) {
    post_.keeper.close();
    return Clock::now() >= hurry_at_;
  }
  const auto verb = static_cast<HostVerb>((*message)->verb);
  if (verb == HostVerb::cut) hurry_at_ = Clock::now();
  // One that has retired may have been given longer than all of superd has now.
  if (verb == HostVerb::drain) hurry_at_ = Clock::now() + millis_in((*message)->text);
  return Clock::now() >= hurry_at_;
}

ExitCode HostProcess::drain_for(Millis time) noexcept {
  const auto ended = drain(*host_, time, [this] { return must_hurry(); });
  if (post_.keeper.is_open()) {
    const auto text = fmt::format("{} {}", ended.cut, ended.stuck);
    (void)post_.keeper.send(static_cast<char>(HostVerb::done), text, {}, Clock::now() + patience);
  }
  is_stuck_ = ended.stuck > 0;
  return ended.cut || ended.stuck ? ExitCode::cut : ExitCode::drained;
}

void HostProcess::change(Message& message) try {
  const auto order = parse_host_order(message.text);
  if (!order) return answer(std::unexpected(order.error()));
  auto fresh = take_parts(*order, message.descriptors);
  if (!fresh) return answer(std::unexpected(fresh.error()));

  host_->hand_over(order->moved);
  auto gone = order->removed;
  gone.insert(gone.end(), order->moved.begin(), order->moved.end());
  auto wanted = post_.table;
  if (!order->table.services.empty()) {
    wanted = order->table;
    wanted.services = post_.table.services;
    post_.heartbeat = wanted.heartbeat;
  }
  std::erase_if(wanted.services, [&](const auto& service) { return std::ranges::count(gone, service.name) != 0; });
  for (const auto& service : order->table.services) {
    const auto known = std::ranges::find(wanted.services, service.name, &ServiceSettings::name);
    if (known == wanted.services.end())
      wanted.services.push_back(service);
    else
      *known = service;
  }
  const auto complaints = host_->change(wanted, std::move(*fresh));
  post_.table = std::move(wanted);
  if (complaints.empty()) return answer({});
  std::string all;
  for (const auto& line : complaints) all += line + '\n';
  answer(error(all));
} catch (const std::exception& failure) {
  answer(error(failure.what()));
}

Result<std::vector<BoundListener>> HostProcess::take_parts(const HostOrder& order, std::vector<Socket>& descriptors) {
  if (descriptors.size() != order.boards.size() + order.listeners.size())
    return error("an order without all its descriptors");
  auto next = descriptors.begin();
  for (const auto& service : order.boards) {
    auto board = Scoreboard::attach((next++)->fd());
    if (!board) return std::unexpected(board.error());
    host_->use_board(service, *board);
  }
  std::vector<BoundListener> fresh;
  for (const auto& [name, address] : order.listeners) {
    const auto service = std::ranges::find(order.table.services, name, &ServiceSettings::name);
    if (service == order.table.services.end() || address >= service->listen.size())
      return error("an order with a listener of no service");
    fresh.push_back({name, service->listen[address], std::move(*next++)});
  }
  return fresh;
}

void HostProcess::answer(const Result<>& result) noexcept {
  const auto verb = static_cast<char>(result ? HostVerb::done : HostVerb::failed);
  (void)post_.keeper.send(verb, result ? std::string_view() : result.error().what, {}, Clock::now() + patience);
}

}  // namespace superd
