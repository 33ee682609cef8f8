#include "superd/serve/admission.h"

#include <ctime>

#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

namespace {

double load = 0;
std::time_t wall = 0;
double load_now(Time) noexcept { return load; }
std::time_t wall_now() noexcept { return wall; }

/// An admission whose world is the test's.
class Gate {
 public:
  explicit Gate(const Limits& bounds) : limits_(bounds), admission_(limits_, memory_.as<RateTable>()) {
    admission_.set_world(load_now, wall_now);
    EXPECT_TRUE(admission_.change(bounds));
  }

  Admission::Answer ask(std::string_view from, Clock::duration patience = {}) {
    const auto source = endpoint(from);
    return admission_.admit(source, ClientKey::of(source), now, patience);
  }
  bool admits(std::string_view from) { return ask(from).kind == Admission::Answer::Kind::yes; }
  int admitted(std::string_view from, int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) count += admits(from);
    return count;
  }
  Admission& admission() { return admission_; }
  void change(const Limits& bounds) { limits_.change(bounds); }

  Time now{std::chrono::hours(1)};

 private:
  SharedMemory memory_{"test", sizeof(RateTable)};
  LimitsInForce limits_;
  Admission admission_;
};

Limits with_rates(std::string_view client_rate, std::string_view prefix_rate) {
  Limits limits;
  limits.client_rate = parse_rate(client_rate).value();
  limits.prefix_rate = parse_rate(prefix_rate).value();
  return limits;
}

Limits with_hours(std::initializer_list<std::string_view> texts) {
  Limits limits;
  for (const auto text : texts) limits.hours.push_back(Hours::parse(text).value());
  return limits;
}

/// The zone of a test; as it was afterwards.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    before_.empty() ? ::unsetenv("TZ") : ::setenv("TZ", before_.c_str(), 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::string before_;
};

/// Seconds since 1970 of a moment in UTC.
std::time_t moment(int month, int day, int hour, int minute) {
  std::tm utc{};
  utc.tm_year = 2026 - 1900;
  utc.tm_mon = month - 1;
  utc.tm_mday = day;
  utc.tm_hour = hour;
  utc.tm_min = minute;
  return ::timegm(&utc);
}

}  // namespace

TEST(TheAdmission, LetsEverybodyInByDefault) {
  Gate gate({});
  EXPECT_EQ(gate.admitted("192.0.2.1:4000", 1'000), 1'000);
}

TEST(TheAdmission, RefusesTheOffenderAlone) {
  Gate gate(with_rates("10/s", "1000/s"));
  EXPECT_EQ(gate.admitted("192.0.2.1:4000", 500), 10);
  EXPECT_EQ(gate.ask("192.0.2.1:4000").why, Refusal::rate);
  // What he was refused is not taken from his neighbours.
  EXPECT_EQ(gate.admitted("192.0.2.2:4000", 500), 10);
  EXPECT_EQ(gate.admitted("198.51.100.1:4000", 500), 10);
  gate.now += 100ms;
  EXPECT_EQ(gate.admitted("192.0.2.1:4000", 500), 1);
}

TEST(TheAdmission, HasARateForAllOfAPrefix) {
  Gate gate(with_rates("10/s", "25/s"));
  EXPECT_EQ(gate.admitted("192.0.2.1:4000", 10) + gate.admitted("192.0.2.2:4000", 10), 20);
  EXPECT_EQ(gate.admitted("192.0.2.3:4000", 10), 5);
  EXPECT_EQ(gate.admitted("192.0.3.3:4000", 10), 10);
  EXPECT_EQ(gate.admitted("[2001:db8:0:101::1]:1", 10), 10);
  EXPECT_EQ(gate.admitted("[2001:db8:0:102::1]:1", 10), 10);
  EXPECT_EQ(gate.admitted("[2001:db8:0:103::1]:1", 10), 5);
}

TEST(TheAdmission, HasNoRatesForTrustedSources) {
  auto limits = with_rates("1/s", "1/s");
  Gate gate(limits);
  EXPECT_EQ(gate.admitted("127.0.0.1:4000", 100), 100);
  EXPECT_EQ(gate.admitted("unix:/x", 100), 100);
  limits.trusted.clear();
  Gate strict(limits);
  EXPECT_EQ(strict.admitted("127.0.0.1:4000", 100), 1);
}

TEST(TheAdmission, TellsWhenADelayedClientMayCome) {
  Gate gate(with_rates("10/s burst 1", "1000/s"));
  EXPECT_EQ(gate.ask("192.0.2.1:1", 250ms).kind, Admission::Answer::Kind::yes);
  for (const auto wait : {100ms, 200ms}) {
    const auto answer = gate.ask("192.0.2.1:1", 250ms);
    ASSERT_EQ(answer.kind, Admission::Answer::Kind::later);
    EXPECT_NEAR(static_cast<double>(answer.wait.count()), static_cast<double>(Clock::duration(wait).count()), 1'000);
  }
  EXPECT_EQ(gate.ask("192.0.2.1:1", 250ms).kind, Admission::Answer::Kind::no);
}

TEST(TheAdmission, DelaysNobodyWhereThatIsNotWanted) {
  auto limits = with_rates("1/s", "1000/s");
  limits.over_rate = OverRate::refuse;
  Gate gate(limits);
  EXPECT_TRUE(gate.admits("192.0.2.1:1"));
  EXPECT_EQ(gate.ask("192.0.2.1:1", 10s).kind, Admission::Answer::Kind::no);
}

TEST(TheAdmission, SaysWhyNotInThisOrder) {
  Limits limits = with_hours({"08:00-18:00"});
  limits.deny = {AccessRule::parse("192.0.2.0/24").value()};
  limits.max_load = 2.5;
  limits.when_full = WhenFull::refuse;
  const Zone zone("UTC");
  Gate gate(limits);
  wall = moment(7, 1, 12, 0);
  load = 0;
  EXPECT_EQ(gate.ask("192.0.2.1:1").why, Refusal::access);
  EXPECT_TRUE(gate.admits("198.51.100.1:1"));
  load = 2.5;
  EXPECT_EQ(gate.ask("198.51.100.1:1").why, Refusal::load);
  wall = moment(7, 1, 18, 0);
  EXPECT_EQ(gate.ask("198.51.100.1:1").why, Refusal::hours);
  EXPECT_EQ(gate.ask("192.0.2.1:1").why, Refusal::access);
  load = 0;
}

TEST(TheAdmission, LeavesALoadedMachinesClientsWaitingWhereTheyMayWait) {
  Limits limits;
  limits.max_load = 1;
  Gate gate(limits);
  load = 1.5;
  EXPECT_TRUE(gate.admission().is_overloaded(gate.now));
  EXPECT_TRUE(gate.admits("192.0.2.1:1"));
  load = 0.99;
  EXPECT_FALSE(gate.admission().is_overloaded(gate.now));
  load = 0;
}

TEST(TheAdmission, KeepsTheHoursOfTheWallClockWhenItIsPutBack) {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  Gate gate(with_hours({"02:30-03:00"}));
  // On 25 October 2026 at 01:00 UTC, three o'clock becomes two again: the half hour is there twice.
  const std::pair<int, bool> claims[] = {
      {29, false},
      {30, true },
      {59, true },
      {60, false},
      {89, false},
      {90, true }
  };
  for (const auto& [minute, is_open] : claims) {
    wall = moment(10, 25, 0, minute);
    EXPECT_EQ(gate.admits("192.0.2.1:1"), is_open) << minute;
  }
}

TEST(TheAdmission, SkipsTheHoursThatTheWallClockSkips) {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  Gate gate(with_hours({"02:00-03:00"}));
  wall = moment(3, 29, 0, 59);
  EXPECT_FALSE(gate.admits("192.0.2.1:1"));
  wall = moment(3, 29, 1, 0);
  EXPECT_FALSE(gate.admits("192.0.2.1:1"));
}

TEST(TheAdmission, KnowsTheHoursOfNewLimitsAtOnce) {
  const Zone zone("UTC");
  wall = moment(7, 1, 12, 0);
  Gate gate(with_hours({"08:00-18:00"}));
  EXPECT_TRUE(gate.admits("192.0.2.1:1"));
  gate.change(with_hours({"20:00-22:00"}));
  EXPECT_FALSE(gate.admits("192.0.2.1:1"));
}

TEST(TheAdmission, StaysAsItWasWhenAFileCannotBeRead) {
  Limits limits;
  limits.allow = {AccessRule::parse("10.0.0.0/8").value()};
  Gate gate(limits);
  limits.allow = {AccessRule::parse("@/no/such/file").value()};
  EXPECT_FALSE(gate.admission().change(limits));
  limits.allow.clear();
  limits.banner = "@/no/such/file";
  EXPECT_FALSE(gate.admission().change(limits));
  EXPECT_TRUE(gate.admits("10.0.0.1:1"));
  EXPECT_FALSE(gate.admits("11.0.0.1:1"));
}

TEST(TheAdmission, IsTheSameForDatagramsButForTheRate) {
  auto limits = with_rates("1/s", "1/s");
  limits.deny = {AccessRule::parse("192.0.2.0/24").value()};
  Gate gate(limits);
  EXPECT_EQ(gate.admission().admit(endpoint("192.0.2.1:1"), gate.now).why, Refusal::access);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(gate.admission().admit(endpoint("198.51.100.1:1"), gate.now).kind, Admission::Answer::Kind::yes);
}
