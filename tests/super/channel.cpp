#include "superd/super/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

using namespace superd;

namespace {

Time soon() { return Clock::now() + Seconds(10); }

std::pair<Channel, Channel> connected() { return Channel::pair().value(); }

/// The reading ends of pipes, each of which gives its number.
std::vector<Socket> numbered_pipes(int count) {
  std::vector<Socket> all;
  for (int number = 0; number < count; ++number) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(write(ends[1], &number, sizeof number), static_cast<ssize_t>(sizeof number));
    close(ends[1]);
    all.emplace_back(ends[0]);
  }
  return all;
}

int number_in(const Socket& pipe) {
  int number = -1;
  (void)!read(pipe.fd(), &number, sizeof number);
  return number;
}

}  // namespace

TEST(AChannel, CarriesVerbAndText) {
  auto [here, there] = connected();
  ASSERT_TRUE(here.send('x', "words", {}, soon()));
  const auto message = there.receive(soon());
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->verb, 'x');
  EXPECT_EQ((*message)->text, "words");
  EXPECT_TRUE((*message)->descriptors.empty());
}

TEST(AChannel, CarriesATextThatIsLongerThanAMessageMayBe) {
  auto [here, there] = connected();
  std::string text(3 << 20, 'a');
  text.back() = 'z';
  ASSERT_TRUE(here.send('x', text, {}, soon()));
  const auto message = there.receive(soon());
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->text, text);
  EXPECT_TRUE((*message)->descriptors.empty());
}

TEST(AChannel, CarriesMoreDescriptorsThanOneMessageMay) {
  auto [here, there] = connected();
  for (const int count : {1, 249, 250, 251, 600}) {
    const auto pipes = numbered_pipes(count);
    std::vector<int> descriptors;
    for (const auto& pipe : pipes) descriptors.push_back(pipe.fd());
    // Long enough to go as a file, which comes before them.
    const std::string text(20'000, 'a');
    ASSERT_TRUE(here.send('x', text, descriptors, soon()));
    const auto message = there.receive(soon());
    ASSERT_TRUE(message && *message);
    EXPECT_EQ((*message)->text, text);
    ASSERT_EQ((*message)->descriptors.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) EXPECT_EQ(number_in((*message)->descriptors[static_cast<std::size_t>(i)]), i);
  }
}

TEST(AChannel, TellsThatTheOtherSideIsGone) {
  auto [here, there] = connected();
  there.close();
  const auto message = here.receive(soon());
  ASSERT_TRUE(message);
  EXPECT_FALSE(*message);
  EXPECT_FALSE(here.send('x', "", {}, soon()));
}

TEST(AChannel, WaitsForNobodyLongerThanItIsTold) {
  auto [here, there] = connected();
  EXPECT_FALSE(here.receive(Clock::now() + Millis(1)).has_value());
  bool is_sent = true;
  for (int i = 0; i < 100'000 && is_sent; ++i) is_sent = here.send('x', "words", {}, Clock::now()).has_value();
  EXPECT_FALSE(is_sent) << "a side that does not read is waited for without end";
}
