#include "superd/designs/supervised.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/designs/back_off.h"

namespace superd {

namespace {

using Word = Supervisor::Word;

// Beginning takes milliseconds, and killing a thousand children not much more: this bounds what a stopped one costs us.
constexpr Millis patience{5'000};

/// Its first words: nothing, or why it could not begin.
Result<> first_words(const Socket& channel) {
  const timeval limit{patience.count() / 1000, 0};
  setsockopt(channel.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char message[512];
  ssize_t size;
  while ((size = recv(channel.fd(), message, sizeof message, 0)) < 0 && errno == EINTR) {
  }
  if (size > 0 && static_cast<Word>(message[0]) == Word::opened) return {};
  if (size > 0) return error(std::string(message + 1, static_cast<std::size_t>(size - 1)));
  return error(size == 0 ? "it ended before it had begun" : "it does not begin");
}

}  // namespace

/// The listeners of one open(), and the process that has them.
struct Supervised::Post {
  std::vector<std::shared_ptr<Listener>> listeners;
  pid_t process = -1;  ///< -1: none
  Socket channel{};
  bool closing = false, closed = false;
  BackOff back_off{};
  Time due = never;  ///< when to start it anew

  /// Of its service; of several the first, and how many more: "git+3".
  [[nodiscard]] std::string name() const {
    std::set<const HostedService*> services;
    for (const auto& listener : listeners) services.insert(listener->hosted.get());
    const auto& first = listeners.front()->hosted->name;
    return services.size() == 1 ? first : first + "+" + std::to_string(services.size() - 1);
  }

  void say(Word word) const noexcept {
    const char byte = static_cast<char>(word);
    // A full channel holds the same word already.
    if (channel.is_open()) (void)send(channel.fd(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  bool has_died(int how, int& status) noexcept {
    if (process < 0) return false;
    const pid_t waited = waitpid(process, &status, how);
    // ECHILD: somebody in this program waits for all children, or ignores them.
    if (waited == 0 || (waited < 0 && errno != ECHILD)) return false;
    give_back();
    process = -1;
    return true;
  }

  // What it had taken and given to nobody who lives. Its workers' places are given back by whoever reaps them.
  void give_back() noexcept {
    for (const auto& listener : listeners) listener->hosted->release_process(process);
  }

  void tell_to_end() noexcept {
    say(Word::end);
    channel.reset();
  }

  // The end of the channel tells it to end; its children are killed by it, or die with it.
  void end() noexcept {
    tell_to_end();
    int status = 0;
    for (const Time until = Clock::now() + patience; process >= 0 && !has_died(WNOHANG, status);) {
      if (Clock::now() > until) kill(process, SIGKILL);
      std::this_thread::sleep_for(Millis{1});
    }
  }
};

Supervised::Supervised(std::string role, bool workers_accept, Make make)
    : role_(std::move(role)), workers_accept_(workers_accept), make_(std::move(make)) {}

Supervised::~Supervised() {
  for (auto& post : posts_) post.tell_to_end();
  for (auto& post : posts_) post.end();
}

Result<> Supervised::open(Listeners listeners) {
  auto& post = posts_.emplace_back(Post{
      .listeners = {listeners.begin(), listeners.end()}
  });
  auto started = start(post);
  if (!started) {
    post.end();
    posts_.pop_back();
  }
  return started;
}

Result<> Supervised::start(Post& post) {
  if (auto may = may_fork(); !may) return may;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_error("socketpair");
  Socket here(ends[0]), there(ends[1]);
  post.process = fork_child();
  if (post.process < 0) return system_error("fork the " + role_ + " of " + post.name());
  if (post.process == 0) supervise(post, std::move(there));
  there.reset();
  post.channel = std::move(here);
  auto begun = first_words(post.channel);
  if (begun) return {};
  return error("the " + role_ + " of " + post.name() + ": " + begun.error().what);
}

void Supervised::supervise(const Post& post, Socket channel) noexcept {
  forget_signal_handlers();
  name_process(post.name() + ":" + role_);
  std::vector<int> kept{channel.fd()};
  for (const auto& listener : post.listeners) kept.push_back(listener->socket.fd());
  keep_descriptors(kept);
  auto supervisor = make_(post.listeners);
  if (supervisor) (*supervisor)->run(std::move(channel));
  const auto why = static_cast<char>(Word::failed) + supervisor.error().what;
  (void)send(channel.fd(), why.data(), why.size(), MSG_NOSIGNAL);
  _exit(0);
}

bool Supervised::close() noexcept {
  for (auto& post : posts_) {
    post.closing = true;
    if (!has_closed(post)) post.say(Word::close);
  }
  return std::ranges::all_of(posts_, [this](auto& post) { return has_closed(post); });
}

// One that has died takes nobody in.
bool Supervised::has_closed(Post& post) noexcept {
  char word;
  while (!post.closed && post.channel.is_open()) {
    const ssize_t got = recv(post.channel.fd(), &word, 1, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    post.closed = got <= 0 || static_cast<Word>(word) == Word::closed;
  }
  return true;
}

bool Supervised::leave() noexcept {
  bool have_left = true;
  for (auto& post : posts_) {
    post.closing = true;
    if (has_closed(post)) continue;
    post.say(Word::leave);
    have_left = workers_accept_;
  }
  return have_left;
}

// Its process ends when it has nobody left.
bool Supervised::is_done() noexcept {
  (void)leave();
  (void)tend();
  return std::ranges::all_of(posts_, [](const Post& post) { return post.process < 0; });
}

void Supervised::cut() noexcept {
  for (const auto& post : posts_) post.say(Word::cut);
}

Time Supervised::tend() noexcept {
  Time next = never;
  for (auto& post : posts_) {
    const Time now = Clock::now();
    int status = 0;
    if (post.has_died(WNOHANG, status)) {
      post.channel.reset();
      if (!post.closing) {
        post.due = post.back_off.next(now);
        log_event(Severity::error, role_ + " died",
                  {
                      {"service", post.name()                                                               },
                      {"why",     text_of_end(status)                                                       },
                      {"then",    "its conversations are lost; clients wait in the backlog for the next one"}
        });
      }
    }
    if (post.closing) post.due = never;
    if (post.due <= now) {
      post.due = never;
      if (auto started = start(post); !started) {
        post.end();
        post.due = post.back_off.next(Clock::now());
        log_event(Severity::error, role_ + " cannot be started",
                  {
                      {"service", post.name()         },
                      {"why",     started.error().what}
        });
      }
    }
    next = std::min(next, post.due);
  }
  return next;
}

}  // namespace superd
