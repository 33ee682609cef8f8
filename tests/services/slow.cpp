#include <ctime>

#include "superd/serve/direct_path.h"
#include "superd/services/slow_request.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string parsed(std::string_view line) {
  const auto request = parse_slow_request(line);
  return request ? text_of(*request) : std::string(request.error());
}

constexpr auto wrong_name = "bad request: compute, sleep, block or background, and a time";
constexpr auto wrong_time = "bad request: a time is a number and ms or s, as in 20ms";
constexpr auto twice = "bad request: each of them at most once";
constexpr auto too_long = "bad request: more than 10s in all";

/// The answer to a datagram whose handler waits, which leaves by itself.
std::string answered_straight(std::string_view request) {
  const auto hosted = hosted_with(find_service("slow")->make({}).value());
  const auto listener =
      std::make_shared<Listener>(listen_at("udp/127.0.0.1:0"), Transport::udp, endpoint("127.0.0.1:10007"), hosted);
  const auto client = connected_to(local_endpoint(listener->socket).value(), SOCK_DGRAM);
  std::unique_ptr<DatagramSlot> slot(new DatagramSlot);
  slot->from = local_endpoint(client).value();
  slot->size = request.size();
  std::memcpy(slot->bytes.data(), request.data(), request.size());
  DirectPath path(listener);
  Blocking blocking;
  auto seat = hosted->level.take();
  converse(listener, slot, path, blocking, *seat);
  return received_text(client).value_or("nothing");
}

Seconds::rep cpu_ms_of_this_process() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
}

}  // namespace

TEST(ASlowRequest, IsAnySubsetInAnyOrder) {
  for (const auto* line :
       {"compute 2ms", "sleep 20ms", "block 5ms", "background 1s", "compute 2ms sleep 20ms block 5ms",
        "block 5ms background 7ms sleep 20ms compute 1s", "sleep 10s"})
    EXPECT_EQ(parsed(line), line);
}

TEST(ASlowRequest, HasItsStepsInTheirOrder) {
  using What = SlowStep::What;
  EXPECT_EQ(*parse_slow_request("sleep 20ms compute 1s"), (SlowRequest{
                                                              {What::sleep,   Millis{20}},
                                                              {What::compute, Seconds{1}}
  }));
}

TEST(ASlowRequest, MayHaveBlanksWhereTheyDoNoHarm) {
  EXPECT_EQ(parsed("  sleep \t 20ms   compute 2000ms\t"), "sleep 20ms compute 2s");
}

TEST(ASlowRequest, IsRefusedWhenItSaysSomethingElse) {
  for (const auto* line : {"", " ", "\t", "sleeep 2ms", "2ms", "sleep 2ms 3ms", "sleep 2ms compute 3ms x", "SLEEP 2ms",
                           "sleep 2ms\nblock 2ms", "sleep 2ms, block 3ms"})
    EXPECT_TRUE(parsed(line) == wrong_name || parsed(line) == wrong_time) << line << ": " << parsed(line);
  EXPECT_EQ(parsed("sleeep 2ms"), wrong_name);
  EXPECT_EQ(parsed({"sleep 2ms\0", 10}), wrong_time);
}

TEST(ASlowRequest, IsRefusedWithoutARightTime) {
  for (const auto* line : {"sleep", "sleep compute 2ms", "sleep 5", "sleep -5ms", "sleep 5 ms", "sleep 1.5s",
                           "compute 99999999999999999999s"})
    EXPECT_EQ(parsed(line), wrong_time) << line;
}

TEST(ASlowRequest, HasEachStepOnce) {
  EXPECT_EQ(parsed("sleep 2ms sleep 2ms"), twice);
  EXPECT_EQ(parsed("block 2ms sleep 2ms block 0ms"), twice);
}

TEST(ASlowRequest, IsBoundedInAll) {
  EXPECT_EQ(parsed("sleep 10001ms"), too_long);
  EXPECT_EQ(parsed("sleep 5s block 5s compute 1ms"), too_long);
  EXPECT_EQ(parsed("sleep 36500d"), too_long);
  EXPECT_EQ(parsed("sleep 5s block 5s"), "sleep 5s block 5s");
}

TEST(Slow, DoesWhatALineSaysAndTellsIt) {
  const Talk talk("slow");
  const std::string answer = "done compute 2ms sleep 3ms block 4ms background 1ms\n";
  const auto before = Clock::now();
  const auto computed = cpu_ms_of_this_process();
  ASSERT_TRUE(send_text(talk.client, "compute 2ms sleep 3ms block 4ms background 1ms\n"));
  EXPECT_EQ(read_bytes(talk.client, answer.size()), answer);
  EXPECT_GE(Clock::now() - before, Millis{10});
  EXPECT_GE(cpu_ms_of_this_process() - computed, 1);
}

TEST(Slow, TakesManyRequestsHoweverTheyAreCut) {
  const std::string requests = "sleep 1ms\nblock 1ms\r\nnonsense\n\ncompute 1ms\n";
  const std::string answers =
      std::string("done sleep 1ms\ndone block 1ms\n") + wrong_name + "\n" + wrong_name + "\ndone compute 1ms\n";
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, requests.size()}) {
    Talk talk("slow");
    for (std::size_t at = 0; at < requests.size(); at += size)
      ASSERT_TRUE(send_text(talk.client, requests.substr(at, size)));
    talk.finish();
    EXPECT_EQ(everything_from(talk.client), answers) << size;
    EXPECT_TRUE(talk.ended());
    EXPECT_EQ(talk.hosted->counters.served.value(), 1U);
  }
}

TEST(Slow, AnswersALastLineWithoutAnEnd) {
  Talk talk("slow");
  ASSERT_TRUE(send_text(talk.client, "sleep 1ms\nsleep 2ms"));
  talk.finish();
  EXPECT_EQ(everything_from(talk.client), "done sleep 1ms\ndone sleep 2ms\n");
  EXPECT_TRUE(talk.ended());
}

TEST(Slow, EndsWithALineThatHasNoEnd) {
  Talk talk("slow");
  ASSERT_TRUE(send_text(talk.client, std::string(200, ' ')));
  ASSERT_TRUE(send_text(talk.client, " "));
  EXPECT_EQ(everything_from(talk.client), "bad request: a line has at most 200 bytes\n");
  EXPECT_TRUE(talk.ended());
}

TEST(Slow, TakesALineOfTheGreatestLength) {
  const Talk talk("slow");
  const std::string line = std::string(191, ' ') + "sleep 1ms\n";
  ASSERT_TRUE(send_text(talk.client, line + line));
  const std::string answer = "done sleep 1ms\ndone sleep 1ms\n";
  EXPECT_EQ(read_bytes(talk.client, answer.size()), answer);
}

TEST(Slow, AnswersADatagram) {
  EXPECT_EQ(answers_of("slow", "compute 1ms block 2ms"), std::vector<std::string>{"done compute 1ms block 2ms\n"});
  EXPECT_EQ(answered_straight("sleep 1ms background 2ms\n"), "done sleep 1ms background 2ms\n");
}

TEST(Slow, TellsAlsoAStrangerWhatIsWrong) {
  for (const auto* request : {"", "x", "sleep", "sleep 2ms sleep 2ms", "sleep 20s", "sleep 1ms\nsleep 1ms\n"})
    EXPECT_EQ(answers_of("slow", request, "192.0.2.1:4000").size(), 1U) << request;
}
