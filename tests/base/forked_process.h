#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace superd::test {

/// A process forked from the test, which must have one thread then: does its work and is gone.
class Process {
 public:
  template <class Work>
  explicit Process(Work work) : id_(fork()) {
    if (id_ != 0) return;
    work();
    _exit(0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { wait(); }

  [[nodiscard]] pid_t id() const { return id_; }

  /// True: it has come so far. False: it did not in a time that is long for any machine, and is killed.
  bool reaches(const std::atomic<bool>& mark) {
    for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60); !mark;) {
      if (std::chrono::steady_clock::now() > until) {
        kill();
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  /// Until it has ended; its exit status, or -1 when a signal has ended it.
  int wait() {
    if (!ended_) {
      int status = 0;
      waitpid(id_, &status, 0);
      ended_ = true;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    return status_;
  }

  void kill() {
    ::kill(id_, SIGKILL);
    wait();
  }

 private:
  const pid_t id_;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace superd::test
