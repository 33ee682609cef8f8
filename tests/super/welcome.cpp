#include "superd/super/welcome.h"

#include "superd/config/config.h"
#include "superd/super/tables.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

TEST(TheWelcome, NamesEachListenerOfTheDefaultAndALineToTry) {
  const auto table = parse_config(default_config(), "default").value();
  const auto text = welcome(table);
  std::size_t listeners = 0;
  for (const auto& service : table.services) {
    for (const auto& address : service.listen) {
      ++listeners;
      const auto port = std::to_string(address.endpoint.port() + table.port_base);
      const auto where = std::string(name_of(address.transport)) + "/127.0.0.1:" + port;
      const auto found = text.find(where);
      ASSERT_NE(found, std::string::npos) << where;
      const auto line = text.substr(found, text.find('\n', found) - found);
      EXPECT_NE(line.find("127.0.0.1", where.size()), std::string::npos) << line;
      EXPECT_NE(line.find(port, where.size()), std::string::npos) << line;
    }
  }
  EXPECT_EQ(listeners, 12U) << "six services over two transports";
}

TEST(TheWelcome, TriesUdpWithADatagramAndTimeWithRdate) {
  ServiceTable table{.services = {service("time", "time", {"tcp/127.0.0.1:37", "udp/127.0.0.1:37"})}};
  table.port_base = 10000;
  const auto text = welcome(table);
  EXPECT_NE(text.find("rdate -p -o 10037 127.0.0.1"), std::string::npos) << text;
  EXPECT_NE(text.find("nc -u -w1 127.0.0.1 10037"), std::string::npos) << text;
}

TEST(TheTablesAsJson, HoldARowForEachEntry) {
  const auto json = tables_as_json();
  for (const auto* row : {R"("name": "echo")", R"("name": "iterative")", R"("name": "epoll")"})
    EXPECT_NE(json.find(row), std::string::npos) << row;
}
