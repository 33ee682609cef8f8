#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <expected>
#include <memory>
#include <span>
#include <type_traits>

#include "superd/async/operation.h"

namespace superd {

/// A function of a handler's as Work, and what it threw. Trivially destructible, as what lies in an awaiter must be.
class FunctionWork : public Work {
 public:
  template <class Function>
  explicit FunctionWork(Function& function) noexcept
      : function_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* object) { (*static_cast<Function*>(object))(); }) {
    static_assert(std::is_object_v<Function>, "a lambda with a name, or a pointer to a function");
    run = &FunctionWork::call;
  }

  /// Throws what the function threw; to be called once after it.
  void rethrow();

 private:
  static void call(Job&) noexcept;

  void* function_;
  void (*call_)(void*);
  alignas(std::exception_ptr) std::byte thrown_[sizeof(std::exception_ptr)];  // g++ 12 destroys awaiters twice
  bool has_thrown_ = false;
};

/// pread(2) of a whole span as Work.
class ReadWork : public Work {
 public:
  ReadWork(int file, std::uint64_t offset, std::span<std::byte> into) noexcept;

  /// True: the page cache had it all, or it failed; it is done.
  bool try_at_once() noexcept;
  /// The bytes read, or an errno.
  [[nodiscard]] std::expected<std::size_t, int> result() const noexcept;

 private:
  static void read(Job&) noexcept;
  bool note(std::ptrdiff_t got) noexcept;

  int file_;
  int error_ = 0;
  std::uint64_t offset_;
  std::span<std::byte> into_;  // what is left to be filled
  std::size_t size_ = 0;
};

/// What run_in_background() of a Connection or Datagram awaits.
template <class Client>
class BackgroundCall {
 public:
  template <class Function>
  BackgroundCall(Client& client, Function& function) noexcept : client_(client), work_(function) {}
  BackgroundCall(const BackgroundCall&) = delete;
  BackgroundCall& operator=(const BackgroundCall&) = delete;

  bool await_ready() const noexcept { return client_.is_cut_off(); }
  bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin_work(handler, work_); }
  bool await_resume() {
    const bool goes_on = client_.end_work();
    work_.rethrow();
    return goes_on;
  }

 private:
  Client& client_;
  FunctionWork work_;
};

/// What read_file() of a Connection or Datagram awaits.
template <class Client>
class BackgroundRead {
 public:
  BackgroundRead(Client& client, int file, std::uint64_t offset, std::span<std::byte> into) noexcept
      : client_(client), work_(file, offset, into) {}
  BackgroundRead(const BackgroundRead&) = delete;
  BackgroundRead& operator=(const BackgroundRead&) = delete;

  bool await_ready() noexcept {
    if (client_.is_cut_off()) return true;
    if (!work_.try_at_once()) return false;
    client_.work_is_done();
    return true;
  }
  bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin_work(handler, work_); }
  std::expected<std::size_t, int> await_resume() noexcept {
    if (!client_.end_work()) return std::unexpected(ECANCELED);
    return work_.result();
  }

 private:
  Client& client_;
  ReadWork work_;
};

}  // namespace superd
