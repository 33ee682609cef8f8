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
  return *this;
}

void Seat::leave() noexcept {
  if (Level* level = std::exchange(level_, nullptr)) level->give_back(*this);
}

bool Level::count_one() noexcept {
  int seen = count_.load(std::memory_order_relaxed);
  do {
    if (seen >= level_) return false;
  } while (!count_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
  int peak = peak_.load(std::memory_order_relaxed);
  while (peak <= seen && !peak_.compare_exchange_weak(peak, seen + 1, std::memory_order_relaxed)) {
  }
  return true;
}

std::expected<Seat, Level::Refusal> Level::take(const ClientKey& client, int fd) {
  if (!count_one()) return std::unexpected(Refusal::full);
  Seat seat(this);
  const std::lock_guard lock(mutex_);
  auto& of_client = *clients_.try_emplace(client, 0).first;
  if (of_client.second >= per_client_) {
    // Not through the Seat, whose way back would take the lock again.
    seat.level_ = nullptr;
    count_.fetch_sub(1, std::memory_order_seq_cst);
    // Who asked meanwhile saw the level reached.
    tell_next();
    return std::unexpected(Refusal::client_has_enough);
  }
  note_fd(seat, fd);
  ++of_client.second;
  seat.client_ = &of_client;
  return seat;
}

void Level::note_fd(Seat& seat, int fd) {
  if (fd < 0) return;
  const auto index = static_cast<std::size_t>(fd);
  if (index >= seated_.size()) seated_.resize(std::max(index + 1, seated_.size() * 2));
  seated_[index] = true;
  seat.fd_ = fd;
  if (is_cut()) shutdown(fd, SHUT_RDWR);
}

std::expected<Seat, Level::Refusal> Level::take() noexcept {
  if (!count_one()) return std::unexpected(Refusal::full);
  return Seat(this);
}

void Level::charge(Seat& seat, const ClientKey& client) {
  if (seat.client_) return;
  const std::lock_guard lock(mutex_);
  seat.client_ = &*clients_.try_emplace(client, 0).first;
  ++seat.client_->second;
}

void Level::give_back(Seat& seat) noexcept {
  if (seat.client_) {
    const std::lock_guard lock(mutex_);
    if (seat.fd_ >= 0) seated_[static_cast<std::size_t>(seat.fd_)] = false;
    const ClientKey client = seat.client_->first;
    if (--seat.client_->second == 0) clients_.erase(client);
  }
  count_.fetch_sub(1, std::memory_order_seq_cst);
  if (asking_count_.load(std::memory_order_seq_cst) == 0) return;
  const std::lock_guard lock(mutex_);
  tell_next();
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
  if (count_.load(std::memory_order_seq_cst) >= level_) return true;
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
  is_cut_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (std::size_t fd = 0; fd < seated_.size(); ++fd)
    if (seated_[fd]) shutdown(static_cast<int>(fd), SHUT_RDWR);
}

}  // namespace superd
