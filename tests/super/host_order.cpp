#include "superd/super/host_order.h"

#include <gtest/gtest.h>

#include "superd/config/config.h"

using namespace superd;

namespace {

ServiceTable table_of(std::string_view text) {
  auto table = parse_config(text, "test");
  EXPECT_TRUE(table) << table.error().front();
  return table.value_or(ServiceTable{});
}

}  // namespace

TEST(AHostOrder, ReadsAsItWasWritten) {
  HostOrder order{
      .table = table_of(R"([superd]
drain = "3s"
[service.echo]
listen = ["tcp/127.0.0.1:7", "udp/127.0.0.1:7"]
level = 5
design = "threads"
[service.files]
listen = "tcp/127.0.0.1:8"
program = ["/bin/cat", "a b"]
rlimits = ["nofile=10"])"),
      .removed = {"old", "older"},
      .moved = {"elsewhere"},
      .boards = {"files"},
      .listeners = {{"echo", 1}, {"files", 0}},
  };
  const auto read = parse_host_order(print_host_order(order));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, order);
}

TEST(AHostOrder, MayOnlyTakeServicesAway) {
  const HostOrder order{.table = {}, .removed = {"echo"}, .moved = {}, .boards = {}, .listeners = {}};
  const auto read = parse_host_order(print_host_order(order));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, order);
}

TEST(AHostOrder, ThatIsDamagedIsRefused) {
  for (const char* text : {"listener x echo\n", "listener 1\n", "nonsense\n", "table\n[service.x]\nlisten = 1\n"})
    EXPECT_FALSE(parse_host_order(text)) << text;
}
