#include "superd/super/nursery_process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>

#include "superd/base/log.h"
#include "superd/engines/poll_timeout.h"
#include "superd/net/passive.h"
#include "superd/super/handlers.h"

namespace superd::nursery {

namespace {

Socket deaths_of_children() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return Socket(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

/// A request and what came with it; nothing at the end of the channel.
struct Received {
  Request request{};
  std::vector<Socket> descriptors;
};

bool receive(int fd, Received& received) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
  iovec bytes{&received.request, sizeof received.request};
  msghdr message{.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t size;
  while ((size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (size != sizeof received.request) return false;
  for (auto* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int one;
      std::memcpy(&one, CMSG_DATA(part) + i * sizeof one, sizeof one);
      received.descriptors.emplace_back(one);
    }
  }
  return true;
}

std::string text_in(const Socket& file) {
  struct stat status{};
  if (fstat(file.fd(), &status) != 0) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t size = pread(file.fd(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

}  // namespace

void Caretaker::run() noexcept {
  // Workers whose supervisor was killed come here, so that what they had is given back when they are gone, not before.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Socket deaths = deaths_of_children();
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
  Received received;
  if (!receive(channel_.fd(), received)) return false;
  answer(obey(received.request, received.descriptors));
  return true;
} catch (const std::exception& failure) {
  answer(error(failure.what()));
  return true;
}

Result<bool> Caretaker::obey(const Request& request, std::vector<Socket>& descriptors) {
  if (request.verb == Verb::open) return open(request.design, descriptors);
  const auto ward = wards_.find(request.design);
  if (ward == wards_.end()) return true;
  switch (request.verb) {
    case Verb::open: break;
    case Verb::close: return close(ward->second);
    case Verb::leave: return leave(ward->second);
    case Verb::is_done: return ward->second.design->is_done();
    case Verb::cut: ward->second.design->cut(); break;
    case Verb::drop:
      wards_.erase(ward);
      reap_orphans();
      forget_unused();
      break;
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

Result<bool> Caretaker::open(std::uint32_t number, std::vector<Socket>& descriptors) {
  if (descriptors.empty()) return error("an order without its text");
  const auto order = parse_order(text_in(descriptors.front()));
  if (!order) return std::unexpected(order.error());
  auto rest = std::span(descriptors).subspan(1);
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
  std::string message(1, static_cast<char>(!result ? Answer::failed : *result ? Answer::done : Answer::not_yet));
  if (!result) message += result.error().what;
  (void)send(channel_.fd(), message.data(), message.size(), MSG_NOSIGNAL);
}

}  // namespace superd::nursery
