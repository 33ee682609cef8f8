#include "superd/serve/datagram.h"

#include <algorithm>
#include <new>
#include <vector>

#include "superd/net/ip_header.h"
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

Packet Datagram::packet() const noexcept {
  Packet packet{.source = slot_->from,
                .destination = slot_->to,
                .protocol = static_cast<std::uint8_t>(listener_.local.port()),
                .ttl = slot_->ttl,
                .interface = slot_->interface,
                .may_be_answered = !slot_->silent,
                .header = slot_->ip_header(),
                .payload = slot_->payload()};
  packet.source.set_port(0);
  return packet;
}

bool Datagram::reply(std::span<const std::byte> answer) {
  if (listener_.packets == Listener::Packets::own_header) return send_behind_header(answer);
  return send(answer, answer.size());
}

bool Datagram::send_behind_header(std::span<const std::byte> answer) {
  std::vector<std::byte> packet(Ipv4View::least_header + answer.size());
  const Ipv4Fields fields{.source = slot_->to, .destination = slot_->from, .protocol = this->packet().protocol};
  const auto written = write_ipv4_header(fields, answer.size(), packet);
  if (!written) {
    hosted().counters.failed_answer.add();
    return false;
  }
  std::ranges::copy(answer, packet.begin() + static_cast<std::ptrdiff_t>(*written));
  return send(packet, answer.size());
}

bool Datagram::reply_with_header(std::span<const std::byte> packet) {
  const auto view = Ipv4View::parse(packet);
  const bool is_right = listener_.packets == Listener::Packets::own_header && view &&
                        view->total_length() == packet.size() &&
                        view->destination_number() == ntohl(address_v4(slot_->from).s_addr);
  if (is_right) return send(packet, view->payload().size());
  hosted().counters.failed_answer.add();
  return false;
}

bool Datagram::send(std::span<const std::byte> answer, std::size_t payload) {
  if (slot_->silent || payload > room()) {
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
