#include "superd/serve/datagram.h"

namespace superd {

Datagram::Datagram(std::unique_ptr<DatagramSlot>& slot, const Endpoint& listener, Waiter& waiter,
                   HostedService& hosted) noexcept
    : slot_(std::move(slot)), listener_(listener), waiter_(waiter), hosted_(hosted) {}

Datagram::~Datagram() {
  // Only what was waited with has left traces in the waiter.
  if (parked) waiter_.forget(*this);
}

Endpoint Datagram::to() const noexcept {
  if (slot_->to.family() == AF_UNSPEC) return listener_;
  Endpoint asked = slot_->to;
  asked.set_port(listener_.port());
  return asked;
}

bool Datagram::reply(std::span<const std::byte> answer) {
  if (answer.size() > room()) {
    hosted_.counters.suppressed_answer.add();
    return false;
  }
  path_->send(*slot_, answer);
  return true;
}

bool Datagram::begin_sleep(std::coroutine_handle<> handler, Millis duration) noexcept {
  kind = Kind::sleep;
  parked = handler;
  deadline = Clock::now() + duration;
  return !waiter_.wait(*this);
}

bool Datagram::begin_work(std::coroutine_handle<> handler, Work& wanted) noexcept {
  kind = Kind::work;
  parked = handler;
  deadline = never;
  work = &wanted;
  return !waiter_.wait(*this);
}

}  // namespace superd
