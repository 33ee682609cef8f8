#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "superd/serve/access_list.h"
#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

AddressBits bits(std::string_view address) { return AddressBits::of(Endpoint::parse(address, 0).value()); }
Network network(std::string_view text) { return Network::parse(text).value(); }

AccessRules rules(std::initializer_list<std::string_view> texts) {
  AccessRules all;
  for (const auto text : texts) all.push_back(AccessRule::parse(text).value());
  return all;
}

bool admits(std::initializer_list<std::string_view> allow, std::initializer_list<std::string_view> deny,
            std::string_view address) {
  return AccessList::make(rules(allow), rules(deny)).value()->admits(bits(address));
}

/// A file that goes with the test.
class SetFile {
 public:
  explicit SetFile(std::string_view text) : path_(fmt::format("{}/superd-set-{}", ::testing::TempDir(), getpid())) {
    write(text);
  }
  ~SetFile() { std::filesystem::remove(path_); }
  SetFile(const SetFile&) = delete;
  SetFile& operator=(const SetFile&) = delete;

  void write(std::string_view text) const { std::ofstream(path_) << text; }
  std::string rule() const { return "@" + path_; }
  const std::string& path() const { return path_; }
  void remove() const { std::filesystem::remove(path_); }

 private:
  std::string path_;
};

}  // namespace

TEST(TheAccess, IsEverybodysWhereNothingIsSaid) { EXPECT_TRUE(admits({}, {}, "192.0.2.1")); }

TEST(TheAccess, IsThatOfTheLongestMatch) {
  const std::initializer_list<std::string_view> allow = {"10.0.0.0/8", "10.1.2.3"}, deny = {"10.1.0.0/16"};
  EXPECT_TRUE(admits(allow, deny, "10.2.0.1"));
  EXPECT_FALSE(admits(allow, deny, "10.1.0.0"));
  EXPECT_FALSE(admits(allow, deny, "10.1.255.255"));
  EXPECT_TRUE(admits(allow, deny, "10.2.0.0"));
  EXPECT_TRUE(admits(allow, deny, "10.0.255.255"));
  EXPECT_TRUE(admits(allow, deny, "10.1.2.3"));
  EXPECT_FALSE(admits(allow, deny, "10.1.2.4"));
  EXPECT_FALSE(admits(allow, deny, "11.0.0.0"));
  EXPECT_FALSE(admits(allow, deny, "9.255.255.255"));
}

TEST(TheAccess, IsDeniedByOneOfTwoEqualNetworks) { EXPECT_FALSE(admits({"10.0.0.0/8"}, {"10.0.0.0/8"}, "10.0.0.1")); }

TEST(TheAccess, IsNobodysElseOnceSomebodyIsAllowed) {
  EXPECT_FALSE(admits({"10.0.0.0/8"}, {}, "192.0.2.1"));
  EXPECT_FALSE(admits({"10.0.0.0/8"}, {}, "::1"));
  EXPECT_TRUE(admits({}, {"10.0.0.0/8"}, "192.0.2.1"));
}

TEST(TheAccess, TakesAMappedAddressForWhatItIs) {
  EXPECT_TRUE(admits({"10.0.0.0/8"}, {}, "::ffff:10.1.1.1"));
  EXPECT_FALSE(admits({}, {"10.0.0.0/8"}, "::ffff:10.1.1.1"));
  EXPECT_FALSE(admits({"::/0"}, {}, "10.1.1.1"));
  EXPECT_TRUE(admits({"::/0"}, {}, "2001:db8::1"));
}

TEST(TheAccess, ReachesToTheEndsOfTheAddresses) {
  EXPECT_FALSE(admits({}, {"0.0.0.0/0"}, "0.0.0.0"));
  EXPECT_FALSE(admits({}, {"0.0.0.0/0"}, "255.255.255.255"));
  EXPECT_TRUE(admits({}, {"0.0.0.0/0"}, "::1"));
  EXPECT_FALSE(admits({}, {"::/0"}, "::"));
  EXPECT_FALSE(admits({}, {"::/0"}, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(admits({}, {"255.255.255.255"}, "255.255.255.255"));
  EXPECT_TRUE(admits({}, {"255.255.255.255"}, "255.255.255.254"));
}

TEST(TheAccess, IsWhatALookAtEachNetworkSays) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<JudgedNetwork> all;
    for (int i = 0; i < 60; ++i) {
      const bool is_v4 = random() % 2 == 0;
      const auto text = is_v4 ? fmt::format("10.{}.{}.{}", random() % 4, random() % 4, random() % 4)
                              : fmt::format("2001:db8::{:x}:{:x}", random() % 4, random() % 4);
      // The same address with bits cut off behind some place.
      for (int length = is_v4 ? 8 + static_cast<int>(random() % 25) : 96 + static_cast<int>(random() % 33);; --length)
        if (const auto parsed = Network::parse(fmt::format("{}/{}", text, length)); parsed || length == 0) {
          if (parsed) all.push_back({*parsed, random() % 2 ? Opinion::allow : Opinion::deny});
          break;
        } else if (length < (is_v4 ? 32 : 128)) {
          // A network begins where its address has no more bits.
          if (const auto host = Network::parse(text); host && random() % 2)
            all.push_back({*host, random() % 2 ? Opinion::allow : Opinion::deny});
          break;
        }
    }
    const AccessTable table(all);
    for (int i = 0; i < 500; ++i) {
      const auto text = i % 2 ? fmt::format("10.{}.{}.{}", random() % 5, random() % 5, random() % 5)
                              : fmt::format("2001:db8::{:x}:{:x}", random() % 5, random() % 5);
      const auto address = Endpoint::parse(text, 0).value();
      const JudgedNetwork* best = nullptr;
      for (const auto& each : all) {
        if (!each.network.holds(address)) continue;
        if (!best || each.network.bits() > best->network.bits() ||
            (each.network.bits() == best->network.bits() && each.opinion == Opinion::deny))
          best = &each;
      }
      ASSERT_EQ(table.of(AddressBits::of(address)), best ? best->opinion : Opinion::none) << text;
    }
  }
}

TEST(ASet, IsALineEachWithCommentsAndBlankLines) {
  const auto set = parse_set("# friends\n10.0.0.0/8   # the house\r\n\n\t2001:db8::/32\n192.0.2.1").value();
  EXPECT_EQ(set, (std::vector{network("10.0.0.0/8"), network("2001:db8::/32"), network("192.0.2.1")}));
  EXPECT_TRUE(parse_set("").value().empty());
}

TEST(ASet, TellsTheLineThatIsWrong) {
  const auto set = parse_set("10.0.0.0/8\n\nexample.org\n");
  ASSERT_FALSE(set.has_value());
  EXPECT_TRUE(set.error().what.starts_with("line 3: \"example.org\" is not a network")) << set.error().what;
}

TEST(ASetFile, IsReadAgainWhenItHasChanged) {
  const SetFile file("192.0.2.0/24\n");
  const auto list = AccessList::make(rules({file.rule()}), {}).value();
  EXPECT_TRUE(list->admits(bits("192.0.2.1")));
  EXPECT_FALSE(list->admits(bits("198.51.100.1")));
  file.write("198.51.100.0/24\n");
  list->refresh();
  EXPECT_FALSE(list->admits(bits("192.0.2.1")));
  EXPECT_TRUE(list->admits(bits("198.51.100.1")));
}

TEST(ASetFile, StaysInForceWhenItIsWrongOrGone) {
  SetFile file("192.0.2.0/24\n");
  const auto list = AccessList::make({}, rules({file.rule()})).value();
  for (const auto* text : {"192.0.2.0/24\nrubbish\n", "192.0.2.1/24\n"}) {
    file.write(text);
    list->refresh();
    EXPECT_FALSE(list->admits(bits("192.0.2.1")));
  }
  std::filesystem::remove(file.rule().substr(1));
  list->refresh();
  EXPECT_FALSE(list->admits(bits("192.0.2.1")));
  file.write("# nobody\n");
  list->refresh();
  EXPECT_TRUE(list->admits(bits("192.0.2.1")));
}

TEST(ASetFile, ThatCannotBeReadIsAnErrorAtTheBeginning) {
  const auto gone = AccessList::make(rules({"@/no/such/file"}), {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().what, "read /no/such/file: no such file or directory");
  EXPECT_FALSE(AccessList::make({}, rules({"@/tmp"})));
  const SetFile file("10.0.0.0/8\nx\n");
  const auto wrong = AccessList::make(rules({file.rule()}), {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find(": line 2: \"x\" is not a network"), std::string::npos) << wrong.error().what;
}

TEST(ASetFile, MayHoldAHundredThousandNetworks) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += fmt::format("{}.{}.{}.0/25\n", 11 + i / 65'536, i / 256 % 256, i % 256);
  const SetFile file(text);
  const auto list = AccessList::make({}, rules({file.rule()})).value();
  EXPECT_FALSE(list->admits(bits("11.0.0.127")));
  EXPECT_TRUE(list->admits(bits("11.0.0.128")));
  EXPECT_FALSE(list->admits(bits("12.134.159.1")));
  EXPECT_TRUE(list->admits(bits("12.134.160.1")));
}

// --- one that takes the place of another, while a file is gone ---

namespace {

std::unique_ptr<AccessList> list_without_file(const AccessRules& allow, const AccessRules& deny,
                                              const KnownSets& known) {
  EXPECT_FALSE(AccessList::make(allow, deny).has_value());
  return AccessList::make(allow, deny, &known).value();
}

}  // namespace

TEST(ASetFileThatIsGone, HoldsWhatWasKnownOfIt) {
  const SetFile file("10.0.0.0/8\n");
  KnownSets known;
  ASSERT_TRUE(learn_set(file.path(), known).has_value());
  file.remove();
  const auto allow = list_without_file(rules({file.rule()}), {}, known);
  EXPECT_TRUE(allow->admits(bits("10.1.1.1")));
  EXPECT_FALSE(allow->admits(bits("192.0.2.1")));
  const auto deny = list_without_file({}, rules({file.rule()}), known);
  EXPECT_FALSE(deny->admits(bits("10.1.1.1")));
  EXPECT_TRUE(deny->admits(bits("192.0.2.1")));
}

TEST(ASetFileThatIsGone, AllowsNobodyWhereNothingIsKnownOfIt) {
  const SetFile file("");
  file.remove();
  const auto list = list_without_file(rules({file.rule(), "192.0.2.0/24"}), {}, {});
  EXPECT_TRUE(list->admits(bits("192.0.2.1"))) << "who is allowed by another rule is meant";
  EXPECT_FALSE(list->admits(bits("10.1.1.1")));
  file.write("10.0.0.0/8\n");
  list->refresh();
  EXPECT_TRUE(list->admits(bits("10.1.1.1")));
}

TEST(ASetFileThatIsGone, KeepsEverybodyOutWhereNobodyKnowsWhomItDenies) {
  const SetFile file("");
  file.remove();
  const auto list = list_without_file(rules({"10.0.0.0/8"}), rules({file.rule()}), {});
  EXPECT_FALSE(list->admits(bits("10.1.1.1"))) << "however near he is allowed";
  list->refresh();
  EXPECT_FALSE(list->admits(bits("10.1.1.1")));
  file.write("10.9.0.0/16\n");
  list->refresh();
  EXPECT_TRUE(list->admits(bits("10.1.1.1")));
  EXPECT_FALSE(list->admits(bits("10.9.1.1")));
  file.remove();
  list->refresh();
  EXPECT_TRUE(list->admits(bits("10.1.1.1"))) << "from here on it is known";
}
