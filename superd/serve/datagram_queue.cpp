#include "superd/serve/datagram_queue.h"

#include <cstring>
#include <new>
#include <utility>

namespace superd {

bool DatagramQueue::put(const DatagramSlot& slot) noexcept try {
  Entry entry{slot.from, slot.to,     slot.interface, slot.known,    slot.silent,
              slot.ttl,  slot.header, slot.size,      slot.received, nullptr};
  if (used_ + entry.cost() > room_) return false;
  const auto whole = slot.header + slot.size;
  entry.bytes = std::make_unique_for_overwrite<std::byte[]>(whole);
  std::memcpy(entry.bytes.get(), slot.bytes.data(), whole);
  entries_.push_back(std::move(entry));
  used_ += entries_.back().cost();
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void DatagramQueue::copy_first(DatagramSlot& into) const noexcept {
  const Entry& first = entries_.front();
  into.from = first.from;
  into.to = first.to;
  into.interface = first.interface;
  into.size = first.size;
  into.received = first.received;
  into.truncated = false;
  into.admitted = true;
  into.known = first.known;
  into.silent = first.silent;
  into.ttl = first.ttl;
  into.header = first.header;
  std::memcpy(into.bytes.data(), first.bytes.get(), first.header + first.size);
}

void DatagramQueue::drop_first() noexcept {
  used_ -= entries_.front().cost();
  entries_.pop_front();
}

void DatagramQueue::put_first_last() noexcept {
  // Within what push_back() has already made room for, most of the time; who finds none stays where it is.
  try {
    entries_.push_back(std::move(entries_.front()));
    entries_.pop_front();
  } catch (const std::bad_alloc&) {
    return;
  }
}

}  // namespace superd
