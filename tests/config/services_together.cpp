#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

TEST(ServicesOfAGroup, HaveTheSameDesign) {
  EXPECT_EQ(errors_of(R"([defaults]
group = "small"
[service.echo]
listen = "tcp/7"
[service.time]
listen = "tcp/37"
design = "threads"
loops = 2
)"),
            Lines{"x.toml:2: group: echo and time of group \"small\" share threads, but not design and loops: give "
                  "them the same"});
  EXPECT_EQ(errors_of(R"([service.echo]
listen = "tcp/7"
group = "a"
[service.time]
listen = "tcp/37"
design = "threads"
group = "b"
[service.qotd]
listen = "tcp/17"
group = "a"
)"),
            Lines{});
}

TEST(ServicesUnderSelect, MayNotNeedMoreDescriptorsThanItWatches) {
  const auto with = [](int level, std::string_view rest) {
    return "[defaults]\nengine = \"select\"\n[service.echo]\nlisten = [\"tcp/7\", \"udp/7\"]\nlevel = " +
           std::to_string(level) + "\n" + std::string(rest);
  };
  EXPECT_EQ(errors_of(with(1006, "")), Lines{});
  EXPECT_EQ(errors_of(with(1007, "")),
            Lines{"x.toml:5: level: with echo the services under engine \"select\" may need 1025 descriptors, and it "
                  "watches those below 1024 alone: lower their levels by 1, or take engine = \"poll\", \"epoll\" or "
                  "\"io_uring\""});
  EXPECT_EQ(errors_of(with(1007, "engine = \"poll\"")), Lines{});
  EXPECT_EQ(errors_of(with(1007, "design = \"threads\"")), Lines{}) << "threads use no engine";
  EXPECT_EQ(errors_of(with(900, "[service.time]\nlisten = \"udp/37\"\nlevel = 5000")), Lines{})
      << "a datagram has no descriptor";
  EXPECT_EQ(errors_of(with(900, "[service.time]\nlisten = \"tcp/37\"\nlevel = 500")).size(), 1U);
}

TEST(ServicesTogether, AreComplainedOfOnceForWhatDefaultsSay) {
  EXPECT_EQ(errors_of("[defaults]\nlevel = 0\nengine = \"select\"\n" + echo_with("") +
                      "[service.time]\nlisten = \"tcp/37\"\n"),
            Lines{"x.toml:2: level: 0 is below 1: a limit can be raised, not switched off"});
}
