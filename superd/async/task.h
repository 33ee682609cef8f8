#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "superd/base/error.h"

namespace superd {

template <class T>
class task;

namespace task_parts {

/// What every task's promise has, whatever it returns.
///
/// The stack stays flat without symmetric transfer, which g++ 12 turns into a tail call only at -O2 and without
/// sanitizers (tests/compiler/flat_stack.cpp): the parent resumes the child as a plain call, and whichever of "the
/// child has ended" and "the parent is suspended" comes second goes on with the parent. A child that ends inside that
/// call lets the parent go on inline; a child that waits unwinds the whole stack to its engine.
struct PromiseBase {
  std::coroutine_handle<> parent = std::coroutine_handle<>::from_address(this);  // until there is one, for Begin
  std::atomic<bool> first_came{false};
  bool begun = false;
  std::exception_ptr thrown;

  /// Suspends, and aborts where g++ 12.2 laid the frame out wrongly: it does so when a coroutine awaits in the condition
  /// of an if, a loop or a switch and has no local variable at all (GCC bug 106188, fixed in 12.3). Unnoticed, such a
  /// coroutine writes beyond its frame. Any local variable helps: tests/compiler/await_in_condition.cpp.
  struct Begin {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> begins) noexcept {
      const PromiseBase* promise = &begins.promise();
      if (promise->parent.address() != promise)
        broken("miscompiled coroutine: give the one that awaits in a condition a local variable (GCC bug 106188)");
    }
    void await_resume() const noexcept {}
  };

  struct End {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      auto& promise = ended.promise();
      // Not to be touched after this line: the parent that finds `first_came` set may free this frame.
      if (promise.first_came.exchange(true, std::memory_order_acq_rel)) promise.parent.resume();
    }
    void await_resume() const noexcept {}
  };

  Begin initial_suspend() noexcept { return {}; }
  End final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  task<T> get_return_object() noexcept;
  void return_value(T result) noexcept { value.emplace(std::move(result)); }
  T take() {
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() const {
    if (thrown) std::rethrow_exception(thrown);
  }
};

}  // namespace task_parts

/// A coroutine that begins when it is awaited and belongs to whoever holds the task. Awaited at most once.
/// An exception that leaves the body is thrown again where it is awaited. A task may end on another thread than it
/// began on; then its parent goes on there, or, when it was not suspended yet, where it is.
/// A task that has begun must have ended before it is destroyed: cancel what it waits for and let it return.
template <class T = void>
class [[nodiscard]] task {
 public:
  using promise_type = task_parts::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit task(Handle frame) noexcept : frame_(frame) {}
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&&) = delete;
  ~task() {
    if (frame_) frame_.destroy();
  }

  /// Runs the task as a plain call up to its first wait; true when it has ended. For a caller that is no coroutine, or
  /// that wants no frame of its own for what ends at once. Thereafter it may be awaited.
  bool begin() {
    frame_.promise().begun = true;
    frame_.resume();
    // Not done(): another thread may be resuming the frame by now.
    return frame_.promise().first_came.load(std::memory_order_acquire);
  }

  /// The result of a task whose begin() was true.
  T result() { return frame_.promise().take(); }

  struct Awaiter {
    Handle frame;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) noexcept {
      auto& promise = frame.promise();
      promise.parent = parent;
      if (!promise.begun) frame.resume();
      return !promise.first_came.exchange(true, std::memory_order_acq_rel);
    }
    T await_resume() { return frame.promise().take(); }
  };
  Awaiter operator co_await() const noexcept { return {frame_}; }

 private:
  Handle frame_;
};

namespace task_parts {
template <class T>
task<T> Promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline task<void> Promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}
}  // namespace task_parts

/// A coroutine that nobody awaits: it begins at once and frees itself at its end. It must not throw.
struct detached {
  struct promise_type {
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };
};

}  // namespace superd
