#include <time.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"
#include "superd/services/slow_request.h"

namespace superd {

namespace {

// Room for every step there is, with blanks for people.
constexpr std::size_t longest_line = 200;
constexpr std::string_view too_long = "bad request: a line has at most 200 bytes\n";

// Reckoned in the thread's own CPU time: a request is an amount of work, however many compete for the processor. By the
// clock on the wall, a hundred threads on one processor would all have computed 2 ms after 2 ms.
void compute(Millis time) noexcept {
  const auto used = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return Seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  volatile unsigned busy = 0;
  for (const auto until = used() + time; used() < until;)
    for (int i = 0; i < 1'000; ++i) busy = busy + 1;  // the clock is a system call
}

// Without an await, as a handler that does not know better.
void block(Millis time) noexcept {
  timespec until{};
  clock_gettime(CLOCK_MONOTONIC, &until);
  constexpr long second = 1'000'000'000;
  const auto nanos = until.tv_nsec + static_cast<long>(time.count() % 1'000) * 1'000'000;
  until = {until.tv_sec + static_cast<time_t>(time.count() / 1'000) + nanos / second, nanos % second};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

/// False when the conversation was cut meanwhile.
template <class Client>
task<bool> carry_out(Client& client, const SlowRequest& request) {
  for (const auto& step : request) {
    const Millis time = step.time;
    bool goes_on = true;
    if (step.what == SlowStep::What::compute) compute(time);
    if (step.what == SlowStep::What::block) block(time);
    if (step.what == SlowStep::What::sleep) goes_on = co_await client.sleep(time);
    if (step.what == SlowStep::What::background) {
      const auto elsewhere = [time] { block(time); };
      goes_on = co_await client.run_in_background(elsewhere);
    }
    if (!goes_on) co_return false;
  }
  co_return true;
}

std::string_view without_end(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Does what each request asks for, a line or a datagram: for tests and measurements. What it does in a thread, it does
/// to whoever shares that thread.
class Slow final : public Service {
 public:
  task<> serve(Connection& client) override {
    std::string line;
    while (const auto chunk = co_await client.read()) {
      auto rest = chunk.text();
      for (bool whole = true; whole;) {
        const auto end = rest.find('\n');
        const auto part = rest.substr(0, end);
        whole = end != rest.npos;
        if (line.size() + part.size() > longest_line) {
          co_await client.write(too_long);
          co_return;
        }
        line += part;
        if (!whole) break;
        rest.remove_prefix(end + 1);
        if (!co_await answer(client, line)) co_return;
        line.clear();
      }
    }
    // The client's last byte ends a line as well.
    if (!line.empty() && client.end() == End::finished) co_await answer(client, line);
  }

  task<> serve(Datagram& request) override {
    const std::string_view text(reinterpret_cast<const char*>(request.bytes().data()), request.bytes().size());
    const auto wanted = parse_slow_request(without_end(text));
    if (!wanted) {
      request.reply(std::string(wanted.error()) + '\n');
      co_return;
    }
    const bool done = co_await carry_out(request, *wanted);
    if (done) request.reply("done " + text_of(*wanted) + '\n');
  }

 private:
  /// False when the connection is over.
  static task<bool> answer(Connection& client, std::string_view line) {
    const auto wanted = parse_slow_request(without_end(line));
    std::string text;
    if (wanted) {
      if (!co_await carry_out(client, *wanted)) co_return false;
      text = "done " + text_of(*wanted);
    } else {
      text = wanted.error();
    }
    text += '\n';
    co_return co_await client.write(text);
  }
};

}  // namespace

std::shared_ptr<Service> make_slow() { return std::make_shared<Slow>(); }

}  // namespace superd
