#include "superd/serve/converse.h"

#include <algorithm>
#include <exception>
#include <new>

#include "superd/serve/connection.h"
#include "superd/serve/conversation_line.h"
#include "superd/serve/direct_path.h"

namespace superd {

namespace {

template <class Tell>
void tell_exception(const std::exception_ptr& thrown, Tell tell) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    tell(std::string_view(failure.what()));
  } catch (...) {
    tell(std::string_view("unknown exception"));
  }
}

void note_exception(const Connection& client, const Seat& seat, const std::exception_ptr& thrown) noexcept {
  client.hosted().counters.failed.add();
  tell_exception(thrown, [&](std::string_view why) { log_failure(client, seat, Clock::now(), why); });
}

void note_exception(const Datagram& request, Time begun, const std::exception_ptr& thrown) noexcept {
  request.hosted().counters.failed.add();
  tell_exception(thrown, [&](std::string_view why) { log_failure(request, begun, Clock::now(), why); });
}

Counter& counter_for(Counters& counters, End end) noexcept {
  switch (end) {
    case End::not_yet:
    case End::finished: return counters.served;
    case End::reset: return counters.reset_by_client;
    case End::idle: return counters.timed_out_idle;
    case End::slow: return counters.timed_out_slow;
    case End::too_long: return counters.timed_out_total;
    case End::drained: return counters.cut;
    case End::no_room: return counters.engine_full;
  }
  return counters.served;
}

// Without memory for the words of the line, it is not written; all is counted before.
void note_end(const Connection& client, const Seat& seat, bool failed) noexcept try {
  auto& hosted = client.hosted();
  auto& counters = hosted.counters;
  counters.bytes_in.add(client.bytes_in());
  counters.bytes_out.add(client.bytes_out());
  if (failed) return;
  counter_for(counters, client.end()).add();
  if (hosted.board.log().wants(is_failure(client.end()))) log_conversation(client, seat, Clock::now());
} catch (const std::bad_alloc&) {
}

}  // namespace

namespace {

// What converse() is given: one reference in the frame instead of one for each.
struct Arrival {
  HostedService& hosted;
  Socket& socket;
  Waiter& waiter;
  Seat& seat;
  Worker* worker;
};

void note_begin(const HostedService& hosted, const Seat& seat, Worker* worker, const ClientKey& client,
                Time now) noexcept {
  const Time taken_in = seat.taken_in() == Time{} ? now : seat.taken_in();
  hosted.board.waited().add(now - taken_in);
  if (worker) worker->begin(client, now);
}

void note_end(const HostedService& hosted, Worker* worker, Time begun, Time now) noexcept {
  hosted.board.served_in().add(now - begun);
  if (worker) worker->end(now);
}

// Two looks at the clock, at the beginning and at the end: some 50 ns, where accept(2), send(2) and close(2) alone are
// about 10 us. Without the first, a loop would count the time it had for others as the client's.
detached run(const Arrival& arrival) {
  // Moved here, in the body, because arguments are gone when there is no memory for the frame. The arrival itself is gone
  // after the first wait.
  // The service may be removed as soon as the seat is given back, which is not over then.
  const auto served = arrival.hosted.shared_from_this();
  Socket socket = std::move(arrival.socket);
  Seat seat = std::move(arrival.seat);
  Worker* const worker = arrival.worker;
  arrival.waiter.refresh_now();
  note_begin(arrival.hosted, seat, worker, seat.client(), arrival.waiter.now());
  {
    Connection client(socket.fd(), arrival.waiter, arrival.hosted);
    bool failed = false;
    try {
      co_await client.hosted().service->serve(client);
      while (client.must_linger()) co_await client.linger();
    } catch (...) {
      failed = true;
      note_exception(client, seat, std::current_exception());
    }
    note_end(client.hosted(), worker, client.began(), Clock::now());
    co_await client.home();
    note_end(client, seat, failed);
  }
  seat.leave();
}

}  // namespace

detached converse(HostedService& hosted, Socket& socket, Waiter& waiter, Seat& seat, Worker* worker) {
  return run({hosted, socket, waiter, seat, worker});
}

namespace {

void note_end(const Datagram& request, Time begun) noexcept try {
  auto& hosted = request.hosted();
  hosted.counters.served.add();
  if (hosted.board.log().wants(false)) log_conversation(request, begun, Clock::now());
} catch (const std::bad_alloc&) {
}

// The conversation of a datagram whose handler had to wait.
detached go_on(std::unique_ptr<Datagram>& begun, task<>& unfinished, Seat& taken, Worker* worker, Time since) {
  // As above: with no memory for this frame, the caller still has them all.
  const auto request = std::move(begun);
  task<> work = std::move(unfinished);
  Seat seat = std::move(taken);
  try {
    co_await work;
    note_end(*request, since);
  } catch (...) {
    note_exception(*request, since, std::current_exception());
  }
  note_end(request->hosted(), worker, since, Clock::now());
  Datagram& leaving = *request;
  co_await leaving.home();
  seat.leave();
}

void go_on_alone(std::unique_ptr<Datagram>& request, task<>& work, Seat& seat, Worker* worker, Time since) {
  try {
    request->hosted().level.charge(seat, ClientKey::of(request->from()));
    go_on(request, work, seat, worker, since);
  } catch (const std::bad_alloc&) {
    // The handler's frame is about to go, and a background thread may still be at work in it.
    request->give_up();
    throw;
  }
}

}  // namespace

void converse(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
              Waiter& waiter, Seat& taken, Worker* worker) {
  auto& hosted = *listener->hosted;
  auto request = std::make_unique<Datagram>(slot, listener, waiter, path);
  Seat seat = std::move(taken);
  const Time begun = std::max(waiter.now(), seat.taken_in());
  const auto client = ClientKey::of(request->from());
  note_begin(hosted, seat, worker, client, begun);
  try {
    task<> work = hosted.service->serve(*request);
    // One that has waited may have ended in another thread by now: go_on() ends it where it belongs.
    if (!work.begin() || request->has_waited()) {
      go_on_alone(request, work, seat, worker, begun);
      return;
    }
    work.result();
    note_end(*request, begun);
  } catch (...) {
    note_exception(*request, begun, std::current_exception());
  }
  waiter.refresh_now();
  note_end(hosted, worker, begun, waiter.now());
  slot = request->take_slot();
}

DirectPath::DirectPath(std::shared_ptr<Listener> listener)
    : listener_(std::move(listener)),
      outbox_(listener_->socket.fd(), 1, !listener_->is_raw(), listener_->local.is_wildcard()) {}

void DirectPath::send(DatagramSlot& slot, std::span<const std::byte> bytes) {
  outbox_.add(slot, bytes);
  count_sent(listener_->hosted->counters, outbox_.flush());
}

void count_sent(Counters& counters, const Outbox::Sent& sent) noexcept {
  if (sent.datagrams) counters.answered.add(sent.datagrams);
  if (sent.bytes) counters.bytes_out.add(sent.bytes);
  if (sent.dropped) counters.failed_answer.add(sent.dropped);
}

}  // namespace superd
