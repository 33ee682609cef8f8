#include "superd/designs/supervisor.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "superd/base/process.h"

namespace superd {

void Supervisor::run(Socket channel) noexcept {
  channel_ = std::move(channel);
  auto begun = prepare();
  if (begun) begun = begin();
  if (!begun) {
    tell(Word::failed, begun.error().what);
    end();
  }
  tell(Word::opened);
  while (!ending_) {
    engine_->turn(tend(Clock::now()));
    if (said_closed_ && !has_children()) break;
    if (said_closed_ || !is_closed()) continue;
    said_closed_ = true;
    let_go();
    tell(Word::closed);
    // Another turn would wait for a death that has been.
    if (!has_children()) break;
  }
  end();
}

// As long as one process has it open, a listening socket goes on to fill its backlog.
void Supervisor::let_go() noexcept {
  for (const auto& listener : listeners_) listener->socket.reset();
}

// SIGCHLD by a descriptor, so that the engine waits for deaths beside all else.
Result<> Supervisor::prepare() noexcept {
  deaths_.reset(signal_descriptor({SIGCHLD}));
  if (!deaths_.is_open()) return system_error("signalfd");
  hear();
  reap_when_told();
  return {};
}

detached Supervisor::hear() {
  hearing_.fd = channel_.fd();
  while (!ending_) {
    char word;
    const ssize_t got = recv(channel_.fd(), &word, 1, MSG_DONTWAIT);
    if (got > 0) {
      obey(static_cast<Word>(word));
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) break;
    hearing_.kind = Kind::readable;
    co_await Wait(*engine_, hearing_);
  }
  ending_ = true;
}

void Supervisor::obey(Word word) noexcept {
  if (word == Word::close) close();
  if (word == Word::leave) leave();
  if (word == Word::cut) cut();
  if (word == Word::end) was_told_to_end_ = true;
}

detached Supervisor::reap_when_told() {
  reaping_.fd = deaths_.fd();
  while (!ending_) {
    // One signal may stand for many deaths; a second one is not pending beside it.
    signalfd_siginfo told;
    (void)!read(deaths_.fd(), &told, sizeof told);
    reap();
    reaping_.kind = Kind::readable;
    co_await Wait(*engine_, reaping_);
  }
}

void Supervisor::reap() noexcept {
  int status = 0;
  rusage used{};
  for (pid_t child; (child = wait4(-1, &status, WNOHANG, &used)) > 0;) ended(child, status, used);
}

void Supervisor::tell(Word word, const std::string& why) noexcept {
  std::string message(1, static_cast<char>(word));
  message += why;
  // A design that is gone is noticed when it is next listened to.
  (void)send(channel_.fd(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Supervisor::end() noexcept {
  // What was forked dies with us.
  if (ending_ && !was_told_to_end_) _exit(0);
  // Again after each: those of a child that has ended become ours, where we adopt.
  for (;;) {
    cut_at_once();
    int status = 0;
    rusage used{};
    pid_t child = wait4(-1, &status, has_children() ? 0 : WNOHANG, &used);
    if (child == 0 || (child < 0 && errno != EINTR)) break;
    for (; child > 0; child = wait4(-1, &status, WNOHANG, &used)) ended(child, status, used);
  }
  clear_away();
  // Nothing of the process it was forked from is to be ended here.
  _exit(0);
}

}  // namespace superd
