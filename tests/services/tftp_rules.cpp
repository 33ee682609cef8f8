#include <gtest/gtest.h>

#include "superd/services/tftp/remap.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;
using namespace superd::tftp;

namespace {

std::string applied(std::vector<std::string> rules, std::string_view name, bool writes = false,
                    std::string_view client = "192.0.2.7:1000") {
  const auto from = endpoint(client);
  const auto result = NameRules::parse(rules).value().apply(name, {.writes = writes, .client = from});
  return result.value_or("refused");
}

std::string complaint(std::string rule) {
  const std::vector rules{std::move(rule)};
  const auto parsed = NameRules::parse(rules);
  return parsed ? "right" : parsed.error().what;
}

}  // namespace

TEST(ARuleForNames, Replaces) {
  EXPECT_EQ(applied({R"(r \\ /)"}, R"(a\b\c)"), R"(a/b\c)");
  EXPECT_EQ(applied({R"(rg \\ /)"}, R"(a\b\c)"), "a/b/c");
  EXPECT_EQ(applied({"ri ^C: x"}, "c:/boot"), "x/boot");
  EXPECT_EQ(applied({R"(r ^(.*)-(.*)$ \2/\1)"}, "a-b"), "b/a");
  EXPECT_EQ(applied({R"(r ^.*$ \U\0\E.\L\0)"}, "aB"), "AB.ab");
  EXPECT_EQ(applied({R"(r ^ \i/)"}, "x"), "192.0.2.7/x");
  EXPECT_EQ(applied({R"(r ^ \x/)"}, "x"), "C0000207/x");
  EXPECT_EQ(applied({R"(r ^ \i/)"}, "x", false, "[2001:db8::1]:9"), "2001:db8::1/x");
  EXPECT_EQ(applied({R"(r a\ b c\ d)"}, "a b"), "c d");
}

TEST(ARuleForNames, EndsOrBeginsAgainOrRefuses) {
  EXPECT_EQ(applied({"re ^a b", "r ^ x"}, "a"), "b");
  EXPECT_EQ(applied({"re ^a b", "r ^ x"}, "c"), "xc");
  EXPECT_EQ(applied({"r ^b c", "rs ^a b"}, "a"), "c");
  EXPECT_EQ(applied({"a ^secret"}, "secret/x"), "refused");
  EXPECT_EQ(applied({"a~ ^public/"}, "other"), "refused");
  EXPECT_EQ(applied({"a~ ^public/"}, "public/x"), "public/x");
}

TEST(ARuleForNames, IsForReadersOrWritersOrAFamily) {
  EXPECT_EQ(applied({"aP ."}, "x"), "x");
  EXPECT_EQ(applied({"aP ."}, "x", true), "refused");
  EXPECT_EQ(applied({"aG ."}, "x", true), "x");
  EXPECT_EQ(applied({"a6 ."}, "x"), "x");
  EXPECT_EQ(applied({"a4 ."}, "x"), "refused");
}

TEST(RulesForNames, EndHoweverTheyGoRound) {
  EXPECT_EQ(applied({"rg a aa"}, "a"), "refused");
  EXPECT_EQ(applied({"rs ^ x"}, "a"), "refused");
  EXPECT_EQ(applied({"r (a|aa)*b$ x"}, std::string(900, 'a') + "c"), std::string(900, 'a') + "c");
}

TEST(ARuleForNames, IsRefusedWithTheReason) {
  EXPECT_EQ(complaint("rg x y"), "right");
  EXPECT_NE(complaint("rz x y").find("has an operation \"z\""), std::string::npos);
  EXPECT_NE(complaint("r (x y").find("has no right expression"), std::string::npos);
  EXPECT_NE(complaint("r~ x y").find("leave out r or ~"), std::string::npos);
  EXPECT_NE(complaint("r x y z").find("goes on after the replacement"), std::string::npos);
  for (const auto* empty : {"", "r", "   "}) EXPECT_NE(complaint(empty).find("is no rule"), std::string::npos);
}
