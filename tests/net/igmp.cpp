#include "superd/net/igmp.h"

#include <gtest/gtest.h>

#include "packets_test.h"

namespace superd {
namespace {

using namespace std::chrono_literals;

Endpoint address(const char* text) { return *Endpoint::parse(text, 0); }
IgmpView view_of(const Bytes& message) { return IgmpView::parse(message).value(); }

TEST(Igmp, a_query_tells_its_version_by_length_and_time) {
  const auto first = summed(bytes({0x11, 0, 0, 0, 0, 0, 0, 0}));
  const auto second = summed(bytes({0x11, 100, 0, 0, 239, 1, 2, 3}));
  const auto third = summed(bytes({0x11, 0x91, 0, 0, 239, 1, 2, 3, 0x0a, 125, 0, 2, 10, 0, 0, 1, 10, 0, 0, 2}));
  EXPECT_EQ(view_of(first).version(), 1);
  EXPECT_EQ(view_of(first).longest_wait(), 10s);
  EXPECT_EQ(view_of(second).version(), 2);
  EXPECT_EQ(view_of(second).longest_wait(), 10s);
  EXPECT_EQ(view_of(second).group(), address("239.1.2.3"));
  EXPECT_EQ(view_of(second).records().size(), 0U);
  const auto view = view_of(third);
  EXPECT_EQ(view.version(), 3);
  EXPECT_EQ(view.longest_wait(), 27200ms);  // mantissa 17, exponent 1 + 3, tenths
  EXPECT_TRUE(view.suppresses());
  EXPECT_EQ(view.robustness(), 2);
  EXPECT_EQ(view.interval(), 125s);
  ASSERT_EQ(view.sources().size(), 2U);
  EXPECT_EQ(view.sources()[1], address("10.0.0.2"));
}

TEST(Igmp, reports_and_leaves_of_old_versions_are_told_as_records) {
  const auto joined = summed(bytes({0x16, 0, 0, 0, 239, 1, 2, 3})), left = summed(bytes({0x17, 0, 0, 0, 239, 1, 2, 3}));
  int seen = 0;
  for (const auto record : view_of(joined).records()) {
    EXPECT_EQ(record.group, address("239.1.2.3"));
    EXPECT_TRUE(record.is_join());
    ++seen;
  }
  for (const auto record : view_of(left).records()) {
    EXPECT_TRUE(record.is_leave());
    ++seen;
  }
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(view_of(joined).version(), 2);
}

TEST(Igmp, a_report_of_version_three_lists_groups_and_sources) {
  const auto message = summed(bytes({0x22, 0, 0, 0, 0,   0, 0, 2,  //
                                     4,    0, 0, 0, 239, 1, 1, 1,  //
                                     1,    1, 0, 1, 232, 1, 1, 1, 10, 0, 0, 9, 0xde, 0xad, 0, 0}));
  const auto records = view_of(message).records();
  ASSERT_EQ(records.size(), 2U);
  auto at = records.begin();
  EXPECT_EQ((*at).change, IgmpRecord::Change::to_exclude);
  EXPECT_EQ((*at).group, address("239.1.1.1"));
  ++at;
  EXPECT_EQ((*at).group, address("232.1.1.1"));
  ASSERT_EQ((*at).sources.size(), 1U);
  EXPECT_EQ((*at).sources[0], address("10.0.0.9"));
  ++at;
  EXPECT_EQ(at, records.end());
}

TEST(Igmp, what_no_document_describes_is_refused_with_the_reason) {
  const auto fault = [](const Bytes& message) { return IgmpView::parse(summed(message)).error(); };
  EXPECT_EQ(IgmpView::parse(Bytes(7)).error(), PacketFault::short_packet);
  EXPECT_EQ(IgmpView::parse(bytes({0x16, 0, 0, 0, 1, 1, 1, 1})).error(), PacketFault::checksum);
  EXPECT_EQ(fault(bytes({0x99, 0, 0, 0, 1, 1, 1, 1})), PacketFault::unknown_type);
  EXPECT_EQ(fault(bytes({0x11, 0, 0, 0, 1, 1, 1, 1, 0, 0})), PacketFault::header_length);
  EXPECT_EQ(fault(bytes({0x11, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 10, 0, 0})), PacketFault::list);
  EXPECT_EQ(fault(bytes({0x22, 0, 0, 0, 0, 0, 0, 1})), PacketFault::list);
  EXPECT_EQ(fault(bytes({0x22, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 232, 1, 1, 1, 10, 0, 0})), PacketFault::list);
  EXPECT_EQ(fault(bytes({0x22, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 232, 1, 1, 1})), PacketFault::list);
}

}  // namespace
}  // namespace superd
