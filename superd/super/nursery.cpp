#include "superd/super/nursery.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/super/nursery_process.h"

namespace superd {

using nursery::Answer;
using nursery::Request;
using nursery::Verb;

namespace {

// Dropping a design may take it that long, twice: whoever does not answer by then is stuck.
constexpr Seconds patience{20};

Result<Socket> file_with(const std::string& text) {
  Socket file(memfd_create("superd order", MFD_CLOEXEC));
  if (!file.is_open()) return system_error("memfd_create");
  if (pwrite(file.fd(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return system_error("write an order for the nursery");
  return file;
}

bool send_with(int fd, const Request& request, std::span<const int> descriptors) noexcept {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * nursery::most_descriptors)] = {};
  Request copy = request;
  iovec bytes{&copy, sizeof copy};
  msghdr message{.msg_iov = &bytes, .msg_iovlen = 1};
  if (!descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    auto* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL) == sizeof copy;
}

}  // namespace

/// Asks the nursery for all that it is asked. Each open() is a design of its own over there, in parts that fit into a
/// message.
class RemoteDesign final : public Design {
 public:
  RemoteDesign(std::shared_ptr<Nursery> nursery, DesignSettings settings)
      : nursery_(std::move(nursery)), settings_(std::move(settings)) {}
  ~RemoteDesign() override {
    for (const auto number : numbers_) (void)nursery_->ask({Verb::drop, number});
  }

  Result<> open(Listeners listeners) override {
    while (!listeners.empty()) {
      const auto some = listeners.first(std::min(listeners.size(), nursery::most_listeners));
      listeners = listeners.subspan(some.size());
      if (auto opened = open_some(some); !opened) return opened;
    }
    return {};
  }

  // A nursery that is gone takes nobody in.
  bool close() noexcept override { return all_say(Verb::close); }
  bool leave() noexcept override { return all_say(Verb::leave); }
  bool is_done() noexcept override { return all_say(Verb::is_done); }

  void cut() noexcept override {
    for (const auto number : numbers_) (void)nursery_->ask({Verb::cut, number});
  }

 private:
  bool all_say(Verb verb) noexcept {
    return std::ranges::count_if(numbers_,
                                 [&](auto number) { return !nursery_->ask({verb, number}).value_or(true); }) == 0;
  }

  Result<> open_some(Listeners listeners) {
    const auto order = nursery::order_for(settings_, listeners);
    const auto text = file_with(print_order(order));
    if (!text) return std::unexpected(text.error());
    std::vector<int> descriptors{text->fd()};
    for (const auto& served : order.services)
      if (served.has_board) descriptors.push_back(board_of(served, listeners));
    for (const auto& listener : listeners) descriptors.push_back(listener->socket.fd());
    const auto number = nursery_->next_number();
    if (auto opened = nursery_->ask({Verb::open, number}, descriptors); !opened) return std::unexpected(opened.error());
    numbers_.push_back(number);
    return {};
  }

  static int board_of(const nursery::Order::Served& served, Listeners listeners) noexcept {
    const auto id = [](const auto& listener) { return listener->hosted->board.id(); };
    return (*std::ranges::find(listeners, served.board, id))->hosted->board.fd();
  }

  const std::shared_ptr<Nursery> nursery_;
  const DesignSettings settings_;
  std::vector<std::uint32_t> numbers_;
};

Result<std::shared_ptr<Nursery>> Nursery::start(Services known, std::shared_ptr<const OwnPorts> own_ports) {
  if (auto may = may_fork(); !may) return std::unexpected(may.error());
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_error("socketpair");
  std::shared_ptr<Nursery> made(new Nursery);
  made->channel_.reset(ends[0]);
  Socket there(ends[1]);
  made->process_ = fork_child();
  if (made->process_ < 0) return system_error("fork the nursery");
  if (made->process_ == 0) {
    forget_signal_handlers();
    name_process("superd:nursery");
    const int kept = there.fd();
    keep_descriptors({&kept, 1});
    if (!own_ports) own_ports = std::make_shared<OwnPorts>();
    nursery::Caretaker(std::move(there), std::move(known), std::move(own_ports)).run();
  }
  const timeval limit{patience.count(), 0};
  setsockopt(made->channel_.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return made;
}

// The end of the channel tells it to end, with all that it has.
Nursery::~Nursery() {
  channel_.reset();
  for (const Time until = Clock::now() + patience; is_alive();) {
    if (Clock::now() > until) kill(process_, SIGKILL);
    usleep(1000);
  }
}

bool Nursery::is_alive() noexcept {
  if (process_ < 0) return false;
  const pid_t waited = waitpid(process_, nullptr, WNOHANG);
  if (waited == 0) return true;
  process_ = -1;
  channel_.reset();
  return false;
}

std::unique_ptr<Design> Nursery::make(const DesignSettings& settings) {
  return std::make_unique<RemoteDesign>(shared_from_this(), settings);
}

Result<bool> Nursery::ask(const Request& request, std::span<const int> descriptors) {
  if (!channel_.is_open()) return error("the nursery is gone: restart superd");
  if (!send_with(channel_.fd(), request, descriptors)) return system_error("ask the nursery");
  char message[1024];
  ssize_t size;
  while ((size = recv(channel_.fd(), message, sizeof message, 0)) < 0 && errno == EINTR) {
  }
  if (size > 0 && static_cast<Answer>(message[0]) == Answer::failed)
    return error(std::string(message + 1, static_cast<std::size_t>(size - 1)));
  if (size > 0) return static_cast<Answer>(message[0]) == Answer::done;
  // An answer that comes later would be taken for that to another question.
  channel_.reset();
  return error("the nursery does not answer: restart superd");
}

}  // namespace superd
