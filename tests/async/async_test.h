#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "superd/async/task.h"

namespace superd::test {

/// Whoever awaits it waits until it is opened, or goes on at once when it is open.
class Gate {
 public:
  bool await_ready() const noexcept { return open_; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
  void await_resume() const noexcept {}

  void open() {
    open_ = true;
    if (waiting_) std::exchange(waiting_, {}).resume();
  }

 private:
  bool open_ = false;
  std::coroutine_handle<> waiting_;
};

template <class T>
detached run_to_its_end(task<T> work, std::optional<T>& result, std::exception_ptr& thrown) {
  try {
    result = co_await work;
  } catch (...) {
    thrown = std::current_exception();
  }
}

inline detached run_to_its_end(task<> work, std::exception_ptr& thrown) {
  try {
    co_await work;
  } catch (...) {
    thrown = std::current_exception();
  }
}

/// The result of a task that ends without waiting.
template <class T>
T run(task<T> work) {
  std::optional<T> result;
  std::exception_ptr thrown;
  run_to_its_end(std::move(work), result, thrown);
  if (thrown) std::rethrow_exception(thrown);
  if (!result) throw std::logic_error("the task waits");
  return std::move(*result);
}

inline void run(task<> work) {
  std::exception_ptr thrown;
  run_to_its_end(std::move(work), thrown);
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace superd::test
