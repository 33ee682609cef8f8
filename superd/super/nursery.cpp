#include "superd/super/nursery.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <new>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/super/nursery_process.h"

namespace superd {

using nursery::Verb;

namespace {

// Dropping a design may take it that long, twice: whoever does not answer by then is stuck.
constexpr Seconds patience{20};

}  // namespace

/// Asks the nursery for all that it is asked. Each open() is a design of its own over there.
class RemoteDesign final : public Design {
 public:
  RemoteDesign(std::shared_ptr<Nursery> nursery, DesignSettings settings)
      : nursery_(std::move(nursery)), settings_(std::move(settings)) {}
  ~RemoteDesign() override {
    for (const auto number : numbers_) (void)nursery_->ask(Verb::drop, number);
  }

  Result<> open(Listeners listeners) override {
    const auto order = nursery::order_for(settings_, listeners);
    std::vector<int> descriptors;
    for (const auto& served : order.services)
      if (served.has_board) descriptors.push_back(board_of(served, listeners));
    for (const auto& listener : listeners) descriptors.push_back(listener->socket.fd());
    const auto number = nursery_->next_number();
    auto opened = nursery_->ask(Verb::open, number, print_order(order), descriptors);
    if (!opened) return std::unexpected(opened.error());
    numbers_.push_back(number);
    return {};
  }

  // A nursery that is gone takes nobody in.
  bool close() noexcept override { return all_say(Verb::close); }
  bool leave() noexcept override { return all_say(Verb::leave); }
  bool is_done() noexcept override { return all_say(Verb::is_done); }

  void cut() noexcept override {
    for (const auto number : numbers_) (void)nursery_->ask(Verb::cut, number);
  }

 private:
  bool all_say(Verb verb) noexcept {
    return std::ranges::count_if(numbers_, [&](auto number) { return !nursery_->ask(verb, number).value_or(true); }) ==
           0;
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
  auto ends = Channel::pair();
  if (!ends) return std::unexpected(ends.error());
  auto& [here, there] = *ends;
  std::shared_ptr<Nursery> made(new Nursery);
  made->channel_ = std::move(here);
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
  return made;
}

// The end of the channel tells it to end, with all that it has.
Nursery::~Nursery() {
  channel_.close();
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
  channel_.close();
  return false;
}

std::unique_ptr<Design> Nursery::make(const DesignSettings& settings) {
  return std::make_unique<RemoteDesign>(shared_from_this(), settings);
}

Result<bool> Nursery::ask(Verb verb, std::uint32_t design, std::string_view order,
                          std::span<const int> descriptors) noexcept try {
  if (!channel_.is_open()) return error("the nursery is gone: restart superd");
  const Time until = Clock::now() + patience;
  const auto text = fmt::format("{} {}", design, order);
  if (auto sent = channel_.send(static_cast<char>(verb), text, descriptors, until); !sent)
    return error("ask the nursery: " + sent.error().what);
  const auto answer = channel_.receive(until);
  if (answer && *answer && static_cast<Verb>((*answer)->verb) == Verb::failed) return error((*answer)->text);
  if (answer && *answer) return static_cast<Verb>((*answer)->verb) == Verb::done;
  // An answer that comes later would be taken for that to another question.
  channel_.close();
  return error("the nursery does not answer: restart superd");
} catch (const std::bad_alloc&) {
  return error("no memory to ask the nursery");
}

}  // namespace superd
