#include "superd/super/nursery_process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <string>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/engines/poll_timeout.h"
#include "superd/net/passive.h"
#include "superd/super/handlers.h"

namespace superd::nursery {

namespace {

// Whoever asks waits for nothing else.
constexpr Seconds patience{5};

}  // namespace

void Caretaker::run() noexcept {
  // Workers whose supervisor was killed come here, so that what they had is given back when they are gone, not before.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Socket deaths(signal_descriptor({SIGCHLD}));
  pollfd watched[] = {
      {.fd = channel_.fd(), .events = POLLIN},
      {.fd = deaths.fd(),   .events = POLLIN}
  };
  for (;;) {
    const Time next = tend();
    reap_orphans();
    poll_until(watched, next);
    signalfd_siginfo told;
    while (read(deaths.fd(), &told, sizeof told) > 0) {
    }
    if (watched[0].revents && !serve_request()) break;
  }
  wards_.clear();
  _exit(0);
}

Time Caretaker::tend() noexcept {
  Time next = never;
  for (auto& [number, ward] : wards_) next = std::min(next, ward.design->tend());
  return next;
}

void Caretaker::reap_orphans() noexcept {
  for (pid_t orphan; (orphan = waitpid(-1, nullptr, WNOHANG)) > 0;)
    for (const Services* services : std::initializer_list<const Services*>{&known_, &learned_})
      for (const auto& hosted : *services)
        if (hosted->release_process(orphan)) hosted->counters.crashed.add();
}

bool Caretaker::serve_request() noexcept try {
  auto message = channel_.receive(Clock::now() + patience);
  if (!message || !*message) return false;
  answer(obey(**message));
  return true;
} catch (const std::exception& failure) {
  answer(error(failure.what()));
  return true;
}

Result<bool> Caretaker::obey(Message& message) {
  std::uint32_t number = 0;
  const std::string_view text = message.text;
  const auto space = std::min(text.find(' '), text.size());
  (void)std::from_chars(text.data(), text.data() + space, number);
  const auto verb = static_cast<Verb>(message.verb);
  if (verb == Verb::open) return open(number, text.substr(std::min(space + 1, text.size())), message.descriptors);
  const auto ward = wards_.find(number);
  if (ward == wards_.end()) return true;
  switch (verb) {
    case Verb::close: return close(ward->second);
    case Verb::leave: return leave(ward->second);
    case Verb::is_done: return ward->second.design->is_done();
    case Verb::cut: ward->second.design->cut(); break;
    case Verb::drop:
      wards_.erase(ward);
      reap_orphans();
      forget_unused();
      break;
    case Verb::open:
    case Verb::done:
    case Verb::not_yet:
    case Verb::failed: break;
  }
  return true;
}

// A listening socket that is open here goes on to fill its backlog.
bool Caretaker::close(Ward& ward) noexcept {
  if (!ward.design->close()) return false;
  for (const auto& listener : ward.listeners) listener->socket.reset();
  return true;
}

bool Caretaker::leave(Ward& ward) noexcept {
  if (!ward.design->leave()) return false;
  for (const auto& listener : ward.listeners) listener->socket.reset();
  return true;
}

Result<bool> Caretaker::open(std::uint32_t number, std::string_view text, std::span<Socket> rest) {
  const auto order = parse_order(text);
  if (!order) return std::unexpected(order.error());
  const auto services = services_of(*order, rest);
  if (!services) return std::unexpected(services.error());
  if (order->listeners.size() != rest.size()) return error("an order without its sockets");
  Ward ward;
  for (std::size_t i = 0; i < order->listeners.size(); ++i) {
    const auto& [service, transport] = order->listeners[i];
    const auto local = local_endpoint(rest[i]);
    if (!local) return std::unexpected(local.error());
    ward.listeners.push_back(std::make_shared<Listener>(std::move(rest[i]), transport, *local, services->at(service)));
  }
  auto design = make_design(order->design);
  if (!design) return std::unexpected(design.error());
  if (auto opened = (*design)->open(ward.listeners); !opened) return std::unexpected(opened.error());
  ward.design = std::move(*design);
  wards_.insert_or_assign(number, std::move(ward));
  return true;
}

// Takes those of `boards` that are theirs.
Result<Caretaker::Services> Caretaker::services_of(const Order& order, std::span<Socket>& boards) {
  Services services;
  for (const auto& served : order.services) {
    if (served.has_board && boards.empty()) return error("an order without its scoreboards");
    auto hosted = find(served, served.has_board ? &boards.front() : nullptr);
    if (!hosted) return std::unexpected(hosted.error());
    if (served.has_board) boards = boards.subspan(1);
    services.push_back(std::move(*hosted));
  }
  return services;
}

namespace {

// The bounds of its level are shared memory, and are so already; all else is each process's own.
Result<> bring_up_to_date(HostedService& hosted, const Order::Served& wanted) {
  if (*hosted.limits != wanted.limits)
    if (auto changed = hosted.change(wanted.limits); !changed) return changed;
  hosted.program = wanted.program;
  if (wanted.handler.empty()) return {};
  return put_handler_in_force(hosted, {.name = wanted.service,
                                       .handler = wanted.handler,
                                       .listen = {},
                                       .settings = wanted.settings,
                                       .design = {},
                                       .limits = {},
                                       .options = {},
                                       .log = {},
                                       .group = {}});
}

}  // namespace

Result<std::shared_ptr<HostedService>> Caretaker::find(const Order::Served& wanted, const Socket* board) {
  for (const Services* services : std::initializer_list<const Services*>{&known_, &learned_}) {
    const auto id = [](const auto& hosted) { return hosted->board.id(); };
    const auto known = std::ranges::find(*services, wanted.board, id);
    if (known == services->end()) continue;
    if (auto changed = bring_up_to_date(**known, wanted); !changed) return std::unexpected(changed.error());
    return *known;
  }
  if (!board || (wanted.handler.empty() && !wanted.program))
    return error("service " + wanted.service + " was not there when the nursery was forked: restart superd to have it");
  auto attached = Scoreboard::attach(board->fd());
  if (!attached) return std::unexpected(attached.error());
  auto learned = std::make_shared<HostedService>(wanted.service, nullptr, wanted.limits, own_ports_, *attached);
  if (auto read = learned->read_files(); !read) return std::unexpected(read.error());
  if (auto changed = bring_up_to_date(*learned, wanted); !changed) return std::unexpected(changed.error());
  return learned_.emplace_back(std::move(learned));
}

void Caretaker::forget_unused() noexcept {
  std::erase_if(learned_, [](const auto& hosted) { return hosted.use_count() == 1; });
}

void Caretaker::answer(const Result<bool>& result) noexcept {
  const auto verb = !result ? Verb::failed : *result ? Verb::done : Verb::not_yet;
  const auto why = result ? std::string_view() : std::string_view(result.error().what);
  (void)channel_.send(static_cast<char>(verb), why, {}, Clock::now() + patience);
}

}  // namespace superd::nursery
