#include "superd/serve/level.h"

#include <sys/socket.h>

#include <algorithm>

namespace superd {

Seat& Seat::operator=(Seat&& other) noexcept {
  if (this == &other) return *this;
  leave();
  level_ = std::exchange(other.level_, nullptr);
  client_ = other.client_;
  fd_ = other.fd_;
  process_ = other.process_;
  taken_in_ = other.taken_in_;
  return *this;
}

void Seat::leave() noexcept {
  if (Level* level = std::exchange(level_, nullptr)) level->give_back(*this);
}

namespace {

SeatBounds possible(SeatBounds bounds) noexcept {
  bounds.level = std::min(bounds.level, Level::most);
  return bounds;
}

}  // namespace

Level::Level(const SeatBounds& bounds) : own_("superd level", sizeof(SeatCounts)), counts_(own_.as<SeatCounts>()) {
  counts_.begin();
  set_bounds(bounds);
}

Level::Level(SeatCounts& counts, const SeatBounds& bounds) noexcept : counts_(counts) { set_bounds(bounds); }

void Level::set_bounds(const SeatBounds& bounds) noexcept {
  counts_.set_bounds(possible(bounds));
  tell(vacant());
}

void Level::join_as_process(std::uint32_t process) noexcept {
  process_ = process;
  counts_.serve_in_processes();
}

int Level::release_process(std::uint32_t process, Counter* as) noexcept {
  const int seats = counts_.release(process, as);
  if (overall_) overall_->give_back(seats);
  tell(seats);
  return seats;
}

std::expected<Seat, Level::Refusal> Level::take_for(const ClientKey& client) noexcept {
  if (overall_ && !overall_->take()) return std::unexpected(Refusal::full);
  const auto refused = counts_.take(client, process_);
  if (refused && overall_) overall_->give_back(1);
  if (!refused) return Seat(this, client, process_);
  // For a moment it was counted: who asked meanwhile saw the level reached.
  if (*refused != Refusal::full) tell(1);
  return std::unexpected(*refused);
}

std::expected<Seat, Level::Refusal> Level::take(const ClientKey& client, int fd) {
  auto seat = take_for(client);
  if (seat && fd >= 0) note_fd(*seat, fd);
  return seat;
}

std::expected<Seat, Level::Refusal> Level::take() noexcept { return take_for(SeatCounts::nobody); }

void Level::note_fd(Seat& seat, int fd) {
  seated_.add(fd);
  seat.fd_ = fd;
  // After it was added: a cut before is seen here, a later one sees the descriptor.
  if (is_cut()) shutdown(fd, SHUT_RDWR);
}

void Level::watch(int fd) {
  watched_.add(fd);
  if (is_cut()) shutdown(fd, SHUT_RD);
}

void Level::charge(Seat& seat, const ClientKey& client) {
  if (!seat.is_taken() || seat.client_ != SeatCounts::nobody) return;
  counts_.charge(client, seat.process_);
  seat.client_ = client;
}

// A cut that is under way may have seen it: the descriptor must not be another one's before it is over.
void Level::let_cut_pass() noexcept {
  if (is_cut()) {
    const std::lock_guard over(mutex_);
  }
}

void Level::unwatch(int fd) noexcept {
  watched_.remove(fd);
  let_cut_pass();
}

void Level::give_back(Seat& seat) noexcept {
  if (seat.fd_ >= 0) {
    seated_.remove(seat.fd_);
    let_cut_pass();
  }
  counts_.give_back(seat.client_, seat.process_);
  if (overall_) overall_->give_back(1);
  tell(1);
}

void Level::tell_asking(int seats) noexcept {
  const std::lock_guard lock(mutex_);
  for (; seats > 0 && !asking_.empty(); --seats) tell_next();
}

// Under the lock, so that withdraw() returns only when nobody is about to signal.
void Level::tell_next() noexcept {
  if (asking_.empty()) return;
  const auto [waiter, operation] = asking_.front();
  asking_.erase(asking_.begin());
  asking_count_.store(static_cast<int>(asking_.size()), std::memory_order_seq_cst);
  waiter->signal(*operation);
}

bool Level::ask_for_vacancy(Waiter& waiter, Operation& operation) {
  const std::lock_guard lock(mutex_);
  asking_.emplace_back(&waiter, &operation);
  asking_count_.store(static_cast<int>(asking_.size()), std::memory_order_seq_cst);
  // After the store: a seat given back before it is seen here, one given back after it sees us asking.
  if (vacant() <= 0) return true;
  asking_.pop_back();
  asking_count_.store(static_cast<int>(asking_.size()), std::memory_order_seq_cst);
  return false;
}

void Level::withdraw(const Operation& operation) {
  const std::lock_guard lock(mutex_);
  std::erase_if(asking_, [&](const auto& entry) { return entry.second == &operation; });
  asking_count_.store(static_cast<int>(asking_.size()), std::memory_order_seq_cst);
  // It may have been told already and not need it any more.
  if (vacant() > 0) tell_next();
}

void Level::cut_all() noexcept {
  counts_.cut();
  cut_here();
}

void Level::cut_here() noexcept {
  // Before the descriptors are looked at, as note_fd() looks at it after it has added one.
  is_cut_here_.store(true, std::memory_order_seq_cst);
  const std::lock_guard lock(mutex_);
  seated_.each([](int fd) { shutdown(fd, SHUT_RDWR); });
  watched_.each([](int fd) { shutdown(fd, SHUT_RD); });
}

}  // namespace superd
