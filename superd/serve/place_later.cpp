#include "superd/serve/place_later.h"

#include <new>
#include <thread>

namespace superd {

namespace {

// As a door pauses; in the thread of its loop, which is as short of memory as everybody.
constexpr Millis memory_pause{10};

}  // namespace

bool PlaceLater::place(HostedService& hosted, Socket& socket, Seat& seat) {
  placed_.hosted = &hosted;
  placed_.worker = workers_.of(hosted);
  placed_.socket = std::move(socket);
  placed_.seat = std::move(seat);
  return true;
}

bool PlaceLater::place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
                       Seat& seat) {
  placed_.hosted = listener->hosted.get();
  placed_.worker = workers_.of(*placed_.hosted);
  placed_.seat = std::move(seat);
  placed_.listener = &listener;
  placed_.slot_home = &slot;
  placed_.slot = std::move(slot);
  placed_.batch = &path;
  return true;
}

void PlaceLater::note_open(HostedService& hosted) noexcept {
  if (Worker* const worker = workers_.of(hosted)) worker->open_door();
}

void PlaceLater::note_closed(HostedService& hosted) noexcept {
  if (Worker* const worker = workers_.of(hosted)) worker->leave_door();
}

void PlacedConversation::begin(Waiter& waiter, HeldAnswers& answers) noexcept {
  for (;;) try {
      if (!is_datagram()) return (void)converse(*hosted, socket, waiter, seat, worker);
      answers.begin(*listener);
      return converse(*listener, slot, answers, waiter, seat, worker);
    } catch (const std::bad_alloc&) {
      hosted->counters.out_of_memory.add();
      std::this_thread::sleep_for(memory_pause);
    }
}

void PlacedConversation::settle(HeldAnswers& answers) noexcept try {
  if (!slot) return;
  answers.move_to(*batch, *slot);
  *slot_home = std::move(slot);
} catch (const std::bad_alloc&) {
  hosted->counters.out_of_memory.add();
}

void PlacedConversation::settle_apart(HeldAnswers& answers) noexcept try {
  if (slot) answers.send_straight(*slot);
} catch (const std::bad_alloc&) {
  hosted->counters.out_of_memory.add();
}

}  // namespace superd
