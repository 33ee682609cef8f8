#include <gtest/gtest.h>

#include "superd/lab/file_url.h"

using namespace superd;

namespace {

FileUrl parsed(std::string_view text) {
  const auto url = FileUrl::parse(text);
  EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().what);
  return url.value_or(FileUrl{});
}

std::string refused(std::string_view text) {
  const auto url = FileUrl::parse(text);
  return url ? "taken" : url.error().what;
}

}  // namespace

TEST(AFileUrl, HasHostPortAndPath) {
  using enum FileUrl::Scheme;
  EXPECT_EQ(parsed("fsp://server/a/b"), (FileUrl{fsp, "", "server", 21, "a/b"}));
  EXPECT_EQ(parsed("tftp://192.0.2.1:1069/image"), (FileUrl{tftp, "", "192.0.2.1", 1069, "image"}));
  EXPECT_EQ(parsed("fsp://[2001:db8::1]:24500/x"), (FileUrl{fsp, "", "2001:db8::1", 24500, "x"}));
  EXPECT_EQ(parsed("fsp://[::1]"), (FileUrl{fsp, "", "::1", 21, ""}));
  EXPECT_EQ(parsed("fsp://secret@server/x"), (FileUrl{fsp, "secret", "server", 21, "x"}));
  EXPECT_EQ(parsed("tftp://server/x;mode=octet"), (FileUrl{tftp, "", "server", 69, "x"}));
  EXPECT_EQ(parsed("fsp://server//etc"), (FileUrl{fsp, "", "server", 21, "/etc"}));
}

TEST(AFileUrl, MayHaveBytesAsPercents) {
  EXPECT_EQ(parsed("fsp://server/a%20b%2f%C3%A4").path, "a b/\xc3\xa4");
  for (const auto* bad : {"fsp://s/%", "fsp://s/%2", "fsp://s/%zz", "fsp://s/%00", "fsp://s/%-1"})
    EXPECT_NE(refused(bad).find("hexadecimal"), std::string::npos) << bad;
}

TEST(AFileUrl, IsShownWithoutItsPassword) {
  EXPECT_EQ(parsed("fsp://secret@server/a").text(), "fsp://server/a");
  EXPECT_EQ(parsed("fsp://[::1]:22/a").text(), "fsp://[::1]:22/a");
  EXPECT_EQ(parsed("tftp://server:69/a%0ab").text(), "tftp://server/a\\x0ab");
  EXPECT_EQ(parsed("fsp://server/a/b").last_part(), "b");
  EXPECT_EQ(parsed("fsp://server/a/").last_part(), "");
}

TEST(AFileUrl, IsRefusedWithWhatWouldBeRight) {
  for (const auto* bad : {"", "server/x", "http://server/x", "fsp:/server/x", "fsp://", "fsp:///x", "fsp://:21/x",
                          "fsp://server:0/x", "fsp://server:65536/x", "fsp://server:/x", "fsp://server:2x/x",
                          "fsp://[::1/x", "fsp://[::1]x/x", "tftp://me@server/x", "tftp://server/x;mode=mail"}) {
    const auto why = refused(bad);
    EXPECT_NE(why.find("is no address of a file"), std::string::npos) << bad << ": " << why;
    EXPECT_NE(why.find("fsp://HOST[:PORT]/PATH"), std::string::npos) << bad;
  }
}
