#include <algorithm>

#include "superd/net/listen_address.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

TEST(TheTableOfServices, FindsEachRowByItsName) {
  ASSERT_FALSE(services().empty());
  for (const auto& entry : services()) {
    EXPECT_EQ(find_service(entry.name), &entry) << entry.name;
    EXPECT_FALSE(entry.what.empty()) << entry.name;
    EXPECT_TRUE(entry.streams || entry.datagrams || !entry.packets.empty()) << entry.name;
    EXPECT_TRUE(ListenAddress::parse(some_listener(entry))) << entry.name;
    EXPECT_TRUE(entry.make({.files = {.tree = "/"}}).value_or(nullptr)) << entry.name;
  }
  EXPECT_EQ(find_service("no such service"), nullptr);
}

TEST(TheTableOfServices, IsInOrder) { EXPECT_TRUE(std::ranges::is_sorted(services(), {}, &ServiceEntry::name)); }
