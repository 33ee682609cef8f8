#include "superd/super/nursery.h"

#include <sys/prctl.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "superd/services/services.h"
#include "superd/super/life.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

task<> echoes(Connection& client, Notes& notes) {
  ++notes.present;
  while (auto chunk = co_await client.read())
    if (!co_await client.write(chunk)) break;
}

std::vector<pid_t> children_of(pid_t process) {
  const auto number = std::to_string(process);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  return {std::istream_iterator<pid_t>(children), {}};
}

/// One service and its listener, known to a nursery that is forked before this process has threads.
class Nursing {
 public:
  explicit Nursing(const Limits& limits = {})
      : hosted(hosted_with(std::make_shared<Scripted>(notes, echoes), limits)), nursery(started(hosted)) {
    auto socket = listen_at("tcp/127.0.0.1:0");
    const auto local = local_endpoint(socket).value();
    listener = std::make_shared<Listener>(std::move(socket), Transport::tcp, local, hosted);
  }

  Socket client() const { return connected_to(listener->local); }
  bool is_served() const {
    const auto one = client();
    return send_text(one, "hello") && received_text(one) == "hello";
  }
  bool is_closed(Design& design) const {
    return soon([&] { return design.close(); });
  }

  Notes notes;
  std::shared_ptr<HostedService> hosted;
  std::shared_ptr<Nursery> nursery;
  std::shared_ptr<Listener> listener;

 private:
  static std::shared_ptr<Nursery> started(const std::shared_ptr<HostedService>& hosted) {
    auto made = Nursery::start({hosted});
    if (!made) throw std::runtime_error(made.error().what);
    return std::move(*made);
  }
};

/// A thread that is there, as a host has them once it serves.
class SomeThread {
 public:
  SomeThread()
      : thread_([](const std::stop_token& stop) {
          while (!stop.stop_requested()) std::this_thread::sleep_for(Millis{1});
        }) {}

 private:
  std::jthread thread_;
};

class ANursery : public ::testing::TestWithParam<std::string> {
 protected:
  DesignSettings design() const { return {.design = GetParam(), .workers = 3}; }
};
INSTANTIATE_TEST_SUITE_P(For, ANursery, ::testing::Values("processes", "preforked"),
                         [](const auto& row) { return row.param; });

}  // namespace

TEST_P(ANursery, OpensADesignForAProcessThatHasThreads) {
  Nursing nursing;
  const SomeThread thread;
  const auto remote = nursing.nursery->make(design());
  ASSERT_TRUE(remote->open({&nursing.listener, 1}).has_value());
  EXPECT_TRUE(nursing.is_served());
  EXPECT_TRUE(nursing.is_served());
  EXPECT_TRUE(soon([&] { return nursing.hosted->counters.served.value() == 2; }));
  EXPECT_TRUE(nursing.is_closed(*remote));
  EXPECT_TRUE(soon([&] { return nursing.hosted->level.count() == 0; }));
}

TEST_P(ANursery, HandsAListenerFromOneDesignToTheNext) {
  Nursing nursing;
  for (const auto* name : {"preforked", "processes", "preforked"}) {
    const auto remote = nursing.nursery->make({.design = name, .workers = 2});
    ASSERT_TRUE(remote->open({&nursing.listener, 1}).has_value());
    EXPECT_TRUE(nursing.is_served()) << name;
    EXPECT_TRUE(nursing.is_closed(*remote)) << name;
  }
}

TEST_P(ANursery, CutsWhoIsStillThere) {
  Nursing nursing;
  const auto remote = nursing.nursery->make(design());
  ASSERT_TRUE(remote->open({&nursing.listener, 1}).has_value());
  const auto client = nursing.client();
  ASSERT_TRUE(soon([&] { return nursing.notes.present == 1; }));
  (void)remote->close();
  remote->cut();
  EXPECT_TRUE(soon([&] { return nursing.hosted->level.count() == 0; }));
  EXPECT_TRUE(is_closed_by_peer(client));
  EXPECT_EQ(nursing.hosted->counters.cut.value(), 1U);
}

TEST_P(ANursery, LeavesNobodyBehindWhenADesignGoes) {
  Nursing nursing;
  auto remote = nursing.nursery->make(design());
  ASSERT_TRUE(remote->open({&nursing.listener, 1}).has_value());
  const auto client = nursing.client();
  ASSERT_TRUE(soon([&] { return nursing.notes.present == 1; }));
  EXPECT_FALSE(children_of(nursing.nursery->process()).empty());
  remote.reset();
  EXPECT_TRUE(children_of(nursing.nursery->process()).empty());
  EXPECT_EQ(nursing.hosted->level.count(), 0);
}

TEST_P(ANursery, StartsAnewWhatIsKilledAndGivesItsPlacesBack) {
  Nursing nursing;
  const auto remote = nursing.nursery->make(design());
  ASSERT_TRUE(remote->open({&nursing.listener, 1}).has_value());
  for (int i = 0; i < 3; ++i) {
    const auto client = nursing.client();
    ASSERT_TRUE(send_text(client, "hello"));
    ASSERT_EQ(received_text(client), "hello");
    // Orphans of the one before may be there for a moment.
    ASSERT_TRUE(soon([&] { return children_of(nursing.nursery->process()).size() == 1; }));
    ::kill(children_of(nursing.nursery->process()).front(), SIGKILL);
    EXPECT_TRUE(is_closed_by_peer(client));
    EXPECT_TRUE(soon([&] { return nursing.hosted->level.count() == 0; }));
  }
  EXPECT_TRUE(nursing.is_served());
}

TEST_P(ANursery, GoesWithTheProcessThatForkedIt) {
  // The child is killed while it serves; its nursery's children come to us, to be seen dying.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Nursing nursing;
    const auto remote = nursing.nursery->make(design());
    if (!remote->open({&nursing.listener, 1}) || !nursing.is_served()) ::_exit(1);
    (void)!::write(ends[1], "!", 1);
    for (;;) ::pause();
  }
  char byte;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  EXPECT_TRUE(soon([] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return children_of(::getpid()).empty();
  }));
}

TEST(ANurseryThatIsKilled, TakesItsDesignsWithItAndIsMissed) {
  Nursing nursing;
  const auto remote = nursing.nursery->make({.design = "preforked", .workers = 2});
  ASSERT_TRUE(remote->open({&nursing.listener, 1}).has_value());
  const auto client = nursing.client();
  ASSERT_TRUE(soon([&] { return nursing.notes.present == 1; }));
  ASSERT_TRUE(nursing.nursery->is_alive());
  ::kill(nursing.nursery->process(), SIGKILL);
  EXPECT_TRUE(is_closed_by_peer(client));
  EXPECT_TRUE(soon([&] { return !nursing.nursery->is_alive(); }));
  EXPECT_TRUE(remote->close()) << "nobody is taken in any more";
  EXPECT_FALSE(nursing.nursery->make({.design = "processes"})->open({&nursing.listener, 1}).has_value());
}

TEST(ANurseryOrder, ReadsBackEqual) {
  nursery::Order order{
      {.design = "preforked", .workers = 17},
      {},
      {{1, Transport::udp}, {0, Transport::unix_stream}}
  };
  Limits few;
  few.level = few.per_client = 3;
  few.idle = Millis{1500};
  order.services = {
      {.service = "any \"name\" at all", .board = 1},
      {.service = "other", .board = ~std::uint64_t{0}, .has_board = true, .handler = "discard", .limits = few}
  };
  const auto read = nursery::parse_order(nursery::print_order(order));
  ASSERT_TRUE(read.has_value()) << read.error().what;
  EXPECT_EQ(*read, order);
}

TEST(ANurseryOrder, ForAProgramReadsBackEqual) {
  Program program = ServiceSettings::no_program();
  program.launch.words = {"/bin/cat", "-u"};
  nursery::Order order{{.design = "processes"}, {}, {{0, Transport::tcp}}};
  order.services = {
      {.service = "cat", .board = 5, .program = program}
  };
  const auto read = nursery::parse_order(nursery::print_order(order));
  ASSERT_TRUE(read.has_value()) << read.error().what;
  EXPECT_EQ(*read, order);
}

TEST(ANurseryOrder, ThatMakesNoSenseIsAnError) {
  for (const auto* text :
       {"", "listener 0 0\n", "service 3 5\nit", "service 99999999999999 1\n", "service 1 1\n  ", "hello"})
    EXPECT_FALSE(nursery::parse_order(text).has_value()) << text;
}

TEST_P(ANursery, LearnsAServiceThatComesLater) {
  const Nursing nursing;
  const auto late = std::make_shared<HostedService>("late", nullptr, Limits{}, std::make_shared<OwnPorts>());
  late->service.change("echo", find_service("echo")->make({}).value());
  auto socket = listen_at("tcp/127.0.0.1:0");
  const auto local = local_endpoint(socket).value();
  const auto listener = std::make_shared<Listener>(std::move(socket), Transport::tcp, local, late);
  for (int i = 0; i < 3; ++i) {
    const auto remote = nursing.nursery->make(design());
    const auto opened = remote->open({&listener, 1});
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    auto client = connected_to(local);
    EXPECT_TRUE(send_text(client, "hello") && received_text(client) == "hello");
    EXPECT_EQ(late->level.count(), 1) << "it counts here what it serves there";
    client.reset();
    EXPECT_TRUE(nursing.is_closed(*remote));
  }
  EXPECT_TRUE(soon([&] { return late->level.count() == 0; }));
  EXPECT_EQ(late->counters.accepted.value(), 3U);
}

TEST(ANurseryThatIsAsked, OpensNothingForAServiceItDoesNotKnow) {
  Nursing nursing;
  Notes notes;
  const auto stranger = std::make_shared<HostedService>("stranger", std::make_shared<Scripted>(notes, echoes), Limits{},
                                                        std::make_shared<OwnPorts>());
  auto socket = listen_at("tcp/127.0.0.1:0");
  const auto local = local_endpoint(socket).value();
  const auto listener = std::make_shared<Listener>(std::move(socket), Transport::tcp, local, stranger);
  const auto opened = nursing.nursery->make({.design = "processes"})->open({&listener, 1});
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().what.find("service stranger was not there"), std::string::npos) << opened.error().what;
}

TEST(AHostWithANursery, EndsWhenThatIsLost) {
  const auto told = in_child([]() -> std::string {
    if (!prepare_process()) return "failed";
    OwnService own(echoes, {.design = "processes"});
    const auto client = own.client();
    if (!soon([&] { return own.notes.present == 1; })) return "not served";
    ::kill(children_of(::getpid()).front(), SIGKILL);
    return "exit " + std::to_string(static_cast<int>(run_until_signalled(own.host, std::chrono::hours(1))));
  });
  EXPECT_EQ(told, "exit 111");
}
