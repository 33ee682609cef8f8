#pragma once

#include <memory>

#include "superd/engines/blocking.h"
#include "superd/engines/engines.h"
#include "superd/serve/converse.h"
#include "tests/serve/serve_test.h"

namespace superd::test {

/// The ways of waiting there are, by name: blocking, and every engine.
inline std::vector<std::string> waiter_names() {
  std::vector<std::string> names{"blocking"};
  for (const auto& entry : engines()) names.emplace_back(entry.name);
  return names;
}

inline std::vector<std::string> engine_names() {
  auto names = waiter_names();
  std::erase(names, "blocking");
  return names;
}

inline std::string name_of_case(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

/// A way of waiting, and the loop that goes with it.
class AnyWaiter {
 public:
  /// Throws where the kernel forbids the engine.
  explicit AnyWaiter(const std::string& name) {
    if (name == "blocking") return;
    auto made = find_engine(name)->make();
    if (!made) throw std::runtime_error(made.error().what);
    engine_ = std::move(*made);
  }

  static bool is_possible(const std::string& name) {
    return name == "blocking" || find_engine(name)->make().has_value();
  }

  Waiter& waiter() { return engine_ ? static_cast<Waiter&>(*engine_) : blocking_; }
  Engine* engine() { return engine_.get(); }

  /// Until all conversations at this level have ended; in the thread that began them.
  void run_until_empty(const Level& level) {
    run_until([&] { return level.count() == 0; });
  }
  template <class Claim>
  void run_until(Claim claim) {
    while (engine_ && !claim()) engine_->turn(Clock::now() + Millis{20});
  }

  /// Any thread: as a design does it at the end of a drain.
  void cut() {
    if (engine_)
      engine_->post([this] { engine_->cancel_all(); });
    else
      blocking_.cancel_all();
  }

 private:
  Blocking blocking_;
  std::unique_ptr<Engine> engine_;
};

/// One conversation, served in a thread of its own; the test is its client.
class Conversation {
 public:
  Conversation(const std::string& waiter, StreamScript script, const Limits& limits = {})
      : hosted(hosted_with(std::make_shared<Scripted>(notes, script), limits)), waiter_(waiter) {
    auto pair = tcp_pair();
    client = std::move(pair.client);
    server_ = std::move(pair.server);
  }
  ~Conversation() {
    if (thread_.joinable()) cut();
    ending_ = true;
  }

  Conversation& begin() {
    auto seat = hosted->level.take(ClientKey::of(endpoint("127.0.0.1:0")), server_.fd());
    thread_ = std::jthread([this, taken = std::move(*seat)]() mutable {
      converse(*hosted, server_, waiter_.waiter(), taken);
      waiter_.run_until_empty(hosted->level);
      over_ = true;
      // A loop goes on, which is how io_uring comes to let go of a socket.
      waiter_.run_until([this] { return ending_.load(); });
    });
    return *this;
  }

  /// As the end of a drain does it: whatever is waited for ends.
  void cut() {
    hosted->level.cut_all();
    waiter_.cut();
  }

  bool ended() {
    return soon([this] { return over_.load(); });
  }
  std::uint64_t counted(Counter Counters::* which) const { return (hosted->counters.*which).value(); }

  Notes notes;
  std::shared_ptr<HostedService> hosted;
  Socket client;

  /// Before begin(): a descriptor of the test's choice.
  Socket& server() { return server_; }

 private:
  Socket server_;
  AnyWaiter waiter_;
  std::atomic<bool> over_{false}, ending_{false};
  std::jthread thread_;  // last: it uses the rest
};

/// A test that runs once for each way of waiting.
class EveryWaiter : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!AnyWaiter::is_possible(GetParam())) GTEST_SKIP() << GetParam() << " is not possible on this machine";
  }
  const std::string& waiter() const { return GetParam(); }
};

/// Why a conversation ended, as its handler was told.
inline std::string name_of_end(const Connection& client) { return std::string(name_of(client.end())); }

}  // namespace superd::test
