#include "superd/serve/datagram.h"

#include <new>

#include "superd/serve/direct_path.h"

namespace superd {

Datagram::Datagram(std::unique_ptr<DatagramSlot>& slot, const std::shared_ptr<Listener>& listener, Waiter& waiter,
                   AnswerPath& path) noexcept
    : slot_(std::move(slot)), door_(listener), listener_(*listener), waiter_(waiter), path_(&path) {}

Datagram::~Datagram() {
  // Only what was waited with has left traces in the waiter.
  if (parked) waiter_.forget(*this);
  if (has_waited_) waiter_.note_conversation(-1);
  if (socket_.is_open()) hosted().level.unwatch(fd);
}

void Datagram::take_socket(Socket socket) {
  hosted().level.watch(socket.fd());
  fd = socket.fd();
  socket_ = std::move(socket);
}

Endpoint Datagram::to() const noexcept {
  if (slot_->to.family() == AF_UNSPEC) return listener_.local;
  Endpoint asked = slot_->to;
  asked.set_port(listener_.local.port());
  return asked;
}

bool Datagram::reply(std::span<const std::byte> answer) {
  if (answer.size() > room()) {
    hosted().counters.suppressed_answer.add();
    return false;
  }
  if (path_)
    path_->send(*slot_, answer);
  else
    hosted().counters.failed_answer.add();
  return true;
}

// From the first wait on the handler may run in another thread, beside whoever has the batch.
void Datagram::leave_batch() noexcept try {
  path_->let_go(*slot_);
  path_ = nullptr;
  own_path_ = std::make_unique<DirectPath>(door_);
  path_ = own_path_.get();
} catch (const std::bad_alloc&) {
  hosted().counters.out_of_memory.add();
}

bool Datagram::begin_wait(std::coroutine_handle<> handler, Kind what) noexcept {
  if (!has_waited_ && !waiter_.keeps_thread()) {
    has_waited_ = true;
    leave_batch();
    waiter_.note_conversation(1);
  }
  kind = what;
  parked = handler;
  return !waiter_.wait(*this);
}

bool Datagram::begin_work(std::coroutine_handle<> handler, Work& wanted) noexcept {
  deadline = never;
  work = &wanted;
  return begin_wait(handler, Kind::work);
}

bool Datagram::begin_readable(std::coroutine_handle<> handler, Time until) noexcept {
  deadline = until;
  return begin_wait(handler, Kind::readable);
}

bool Datagram::begin_home(std::coroutine_handle<> root) noexcept {
  is_brief = true;
  return begin_wait(root, Kind::home);
}

bool Datagram::begin_sleep(std::coroutine_handle<> handler, Millis duration) noexcept {
  deadline = Clock::now() + duration;
  return begin_wait(handler, Kind::sleep);
}

}  // namespace superd
