#include "superd/base/thread.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>

namespace superd {

namespace {

// Ignored by default, so that one too many does no harm; nothing we use sends it.
constexpr int interrupt_signal = SIGURG;

struct Start {
  std::string name;
  std::move_only_function<void()> work;
};

void* run(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, interrupt_signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  pthread_setname_np(pthread_self(), start->name.substr(0, 15).c_str());
  start->work();
  return nullptr;
}

// Without SA_RESTART, or the call would go on.
void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigaction(interrupt_signal, &action, nullptr);
  });
}

Result<pthread_t> create(const std::string& name, std::move_only_function<void()> work, int detach_state) {
  install_handler();
  auto start = std::make_unique<Start>(name, std::move(work));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, Thread::stack_size);
  pthread_attr_setdetachstate(&attributes, detach_state);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t id;
  const int code = pthread_create(&id, &attributes, run, start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (code != 0) return system_error("start thread " + name, code);
  (void)start.release();
  return id;
}

}  // namespace

Result<Thread> Thread::start(const std::string& name, std::move_only_function<void()> work) {
  auto id = create(name, std::move(work), PTHREAD_CREATE_JOINABLE);
  if (!id) return std::unexpected(id.error());
  Thread thread;
  thread.id_ = *id;
  thread.running_ = true;
  return thread;
}

Result<> Thread::start_detached(const std::string& name, std::move_only_function<void()> work) {
  auto id = create(name, std::move(work), PTHREAD_CREATE_DETACHED);
  if (!id) return std::unexpected(id.error());
  return {};
}

void Thread::join() noexcept {
  if (std::exchange(running_, false)) pthread_join(id_, nullptr);
}

void Thread::interrupt() noexcept {
  if (running_) interrupt(id_);
}

void Thread::take_short_slices() noexcept {
  // As the kernel has it; glibc 2.36 has neither the call nor the structure.
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER) return;
  // The least that it takes is 0.1 ms. A switch costs some 2 us, and happens only where processors are short.
  attributes.runtime = 100'000;
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void Thread::interrupt(pthread_t id) noexcept { pthread_kill(id, interrupt_signal); }

}  // namespace superd
