#pragma once

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

#include "superd/designs/design.h"
#include "superd/engines/engines.h"
#include "tests/serve/serve_test.h"

namespace superd::test {

/// Every design of the table, one that has loops with every engine.
inline std::vector<DesignSettings> ways_to_serve() {
  std::vector<DesignSettings> ways;
  for (const auto& design : designs()) {
    for (const auto& engine : engines()) {
      const DesignSettings way{.design = std::string(design.name), .engine = std::string(engine.name), .loops = 1};
      if (check_design(way)) ways.push_back(way);
      if (!design.uses_engine) break;
    }
  }
  return ways;
}

inline std::string name_of_way(const DesignSettings& way) {
  return find_design(way.design)->uses_engine ? way.design + "_" + way.engine : way.design;
}

inline bool is_possible(const DesignSettings& way) {
  return !find_design(way.design)->uses_engine || find_engine(way.engine)->make().has_value();
}

/// Those that serve others while a handler waits.
inline std::vector<DesignSettings> concurrent_ways() {
  auto ways = ways_to_serve();
  std::erase_if(ways, [](const auto& way) { return way.design == "iterative"; });
  return ways;
}

/// Those that serve others while a handler computes.
inline std::vector<DesignSettings> parallel_ways() {
  auto ways = concurrent_ways();
  std::erase_if(ways, [](const auto& way) { return way.design == "event"; });
  return ways;
}

/// With the first thread of a process, the thread sanitizer starts one of its own, and keeps it. This starts one, and
/// returns when that has left the kernel.
inline void let_a_sanitizer_start_its_thread() {
  static pid_t done_in = 0;  // a child begins without threads
  if (std::exchange(done_in, ::getpid()) == ::getpid()) return;
  std::filesystem::path first;
  std::thread([&first] { first = "/proc/self/task/" + std::to_string(::gettid()); }).join();
  if (!soon([&first] { return !std::filesystem::exists(first); })) ADD_FAILURE() << "a thread does not end";
}

inline std::ptrdiff_t threads_of_this_process() {
  let_a_sanitizer_start_its_thread();
  return std::ranges::distance(std::filesystem::directory_iterator("/proc/self/task"));
}

inline bool forks(const DesignSettings& way) { return find_design(way.design)->forks; }

/// Those of it that have ended and wait to be reaped, too.
inline std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> all;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
    std::ifstream children(thread.path() / "children");
    std::copy(std::istream_iterator<pid_t>(children), {}, std::back_inserter(all));
  }
  return all;
}

inline std::ptrdiff_t descendants_of(pid_t process) {
  const auto children = children_of(process);
  std::ptrdiff_t sum = std::ssize(children);
  for (const pid_t child : children) sum += descendants_of(child);
  return sum;
}

/// Threads of this process, and the processes that came from it.
inline std::ptrdiff_t threads_and_processes() { return threads_of_this_process() + descendants_of(::getpid()); }

/// A service under a design, at some listeners on this machine.
class Serving {
 public:
  Serving(const DesignSettings& way, const std::vector<std::string>& addresses, StreamScript stream,
          DatagramScript datagram = nullptr, const Limits& limits = {})
      : hosted(hosted_with(std::make_shared<Scripted>(notes, stream, datagram), limits)) {
    auto made = make_design(way);
    if (!made) throw std::runtime_error(made.error().what);
    design = std::move(*made);
    if (!addresses.empty()) open(addresses);
  }
  /// As a drain without patience.
  ~Serving() {
    const bool drained = soon([this] {
      hosted->level.cut_all();
      const bool closed = design->close();
      design->cut();
      return closed && hosted->level.count() == 0;
    });
    if (!drained) ADD_FAILURE() << "a conversation or a thread does not end";
  }

  /// Opens more listeners under the same design.
  void open(const std::vector<std::string>& addresses) {
    bind(addresses);
    open_bound();
  }

  /// In two steps, for clients who are there before anybody listens to them.
  void bind(const std::vector<std::string>& addresses) {
    for (const auto& text : addresses) {
      const auto parsed = address(text);
      auto socket = listen_at(text);
      const auto local = local_endpoint(socket).value();
      listeners_.push_back(std::make_shared<Listener>(std::move(socket), parsed.transport, local, hosted));
    }
  }
  void open_bound() {
    const auto opened_now = design->open(std::span(listeners_).subspan(opened_));
    if (!opened_now) throw std::runtime_error(opened_now.error().what);
    opened_ = listeners_.size();
  }

  const Endpoint& where(std::size_t listener = 0) const { return listeners_.at(listener)->local; }
  Socket client(std::size_t listener = 0) const {
    const auto& door = *listeners_.at(listener);
    return connected_to(door.local, is_stream(door.transport) ? SOCK_STREAM : SOCK_DGRAM);
  }
  bool closes() {
    return soon([this] { return design->close(); });
  }
  std::uint64_t counted(Counter Counters::* which) const { return (hosted->counters.*which).value(); }

  Notes notes;
  std::shared_ptr<HostedService> hosted;
  std::unique_ptr<Design> design;  // before the services end

 private:
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::size_t opened_ = 0;
};

/// Those whose threads take over from each other while a handler computes.
inline std::vector<DesignSettings> ways_that_change_hands() {
  auto ways = ways_to_serve();
  std::erase_if(ways, [](const auto& way) { return !find_design(way.design)->uses_threads; });
  return ways;
}

/// Keeps its thread until the claim holds, as a handler does that computes or is in a call of its own.
template <class Claim>
void keeps_its_thread_until(Claim claim) {
  if (!soon(claim)) ADD_FAILURE() << "a handler was never let go";
}

/// How often the design has decided so, as far as it remembers.
inline std::ptrdiff_t times_decided(const Design& design, Decisions::What what) {
  const auto report = design.report();
  return std::ranges::count(report.decisions, what, &Decisions::Decision::what);
}

/// A test that runs for some ways to serve.
class EveryWay : public ::testing::TestWithParam<DesignSettings> {
 protected:
  void SetUp() override {
    if (!is_possible(way())) GTEST_SKIP() << name_of_way(way()) << " is not possible on this machine";
  }
  const DesignSettings& way() const { return GetParam(); }
};

inline std::string name_of_case(const ::testing::TestParamInfo<DesignSettings>& info) {
  return name_of_way(info.param);
}

/// A way to serve, and over which transport.
class EveryWayAndTransport : public ::testing::TestWithParam<std::tuple<DesignSettings, std::string>> {
 protected:
  void SetUp() override {
    if (!is_possible(way())) GTEST_SKIP() << name_of_way(way()) << " is not possible on this machine";
  }
  DesignSettings way() const { return std::get<0>(GetParam()); }
  const std::string& transport() const { return std::get<1>(GetParam()); }
  bool is_datagrams() const { return transport() == "udp"; }
  std::string where() const { return transport() == "unix" ? folder_.address() : transport() + "/127.0.0.1:0"; }

 private:
  const Folder folder_;
};

inline std::string name_of_combination(const ::testing::TestParamInfo<std::tuple<DesignSettings, std::string>>& info) {
  return name_of_way(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
}

inline auto with_transports(const std::vector<DesignSettings>& ways) {
  return ::testing::Combine(::testing::ValuesIn(ways), ::testing::Values("tcp", "udp", "unix"));
}

inline auto with_streams(const std::vector<DesignSettings>& ways) {
  return ::testing::Combine(::testing::ValuesIn(ways), ::testing::Values("tcp", "unix"));
}

inline task<> echoes_stream(Connection& client, Notes&) {
  while (auto chunk = co_await client.read())
    if (!co_await client.write(chunk)) break;
}

inline task<> echoes_datagram(Datagram& request, Notes&) {
  request.reply(request.bytes());
  co_return;
}

/// A handler, for a stream and for a datagram, that answers when as many of its kind are there as the test wants.
template <int others>
task<> meets_others(auto& client, Notes& notes) {
  ++notes.present;
  const auto enough_here = +[](const Notes& all) { return all.present >= others; };
  const bool met = co_await waits_until(client, notes, enough_here);
  notes.add(met ? "met" : "alone");
}

/// The same without an await: it keeps its thread.
template <int others>
task<> meets_others_computing(auto&, Notes& notes) {
  ++notes.present;
  notes.add(soon([&] { return notes.present >= others; }) ? "met" : "alone");
  co_return;
}

}  // namespace superd::test

/// So that gtest does not print the bytes of a parameter.
namespace superd {
inline void PrintTo(const DesignSettings& way, std::ostream* out) { *out << test::name_of_way(way); }
}  // namespace superd
