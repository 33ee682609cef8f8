#include "superd/super/log_writer.h"

#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "superd/base/process.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

LogSettings to_file(const Folder& folder) { return {.to = {LogTarget::parse("file:" + folder.file()).value()}}; }

void log_number(int number) {
  log_event(Severity::info, "numbered",
            {
                {"number", number}
  });
}

/// The numbers that were logged, as "1 2 3"; and "?" for a line that is none of these.
std::string numbers_in(const Folder& folder) {
  std::ifstream file(folder.file());
  std::string numbers;
  for (std::string line; std::getline(file, line);) {
    const auto begin = line.find(" info numbered number=");
    if (line.find("log process started anew") != line.npos) continue;
    numbers += (numbers.empty() ? "" : " ") + (begin == line.npos ? "?" : line.substr(begin + 22));
  }
  return numbers;
}

/// Each in a process of its own, for the log is the whole process's.
template <class Work>
std::string with_writer(const LogSettings& settings, Work work) {
  return in_child([&]() -> std::string {
    ::signal(SIGPIPE, SIG_IGN);
    auto writer = LogWriter::start(settings);
    return writer ? work(**writer) : writer.error().what;
  });
}

}  // namespace

TEST(TheLogProcess, WritesAllLinesBeforeItsParentEnds) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) {
    for (int i = 1; i <= 3; ++i) log_number(i);
    writer.end(Millis(60'000));
    return numbers_in(folder);
  });
  EXPECT_EQ(told, "1 2 3");
}

TEST(TheLogProcess, WritesWhatOtherProcessesSay) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      keep_descriptors({});
      log_number(1);
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    log_number(2);
    writer.end(Millis(60'000));
    return numbers_in(folder);
  });
  EXPECT_EQ(told, "1 2");
}

TEST(TheLogProcess, WhenItIsKilledIsReplacedAndLosesNothingThatWaits) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) {
    ::kill(writer.pid(), SIGSTOP);
    for (int i = 1; i <= 100; ++i) log_number(i);
    const pid_t first = writer.pid();
    ::kill(first, SIGKILL);
    const bool is_replaced = soon([&] {
      writer.reap();
      writer.tend();
      return writer.pid() > 0 && writer.pid() != first;
    });
    writer.end(Millis(60'000));
    return (is_replaced ? "" : "not replaced ") + numbers_in(folder);
  });
  std::ostringstream all;
  for (int i = 1; i <= 100; ++i) all << (i == 1 ? "" : " ") << i;
  EXPECT_EQ(told, all.str());
}

TEST(TheLogProcess, IsFollowedByTheNextOneInTheOrderOfTheLines) {
  const Folder first, second;
  const auto told = with_writer(to_file(first), [&](LogWriter& writer) {
    log_number(1);
    if (!soon([&] { return numbers_in(first) == "1"; })) return std::string("not written");
    if (auto changed = writer.change(to_file(second)); !changed) return changed.error().what;
    log_number(2);
    writer.end(Millis(60'000));
    return numbers_in(first) + " / " + numbers_in(second);
  });
  EXPECT_EQ(told, "1 / 2");
}

TEST(TheLogProcess, ThatHangsIsKilledByTheNextOne) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) {
    ::kill(writer.pid(), SIGSTOP);
    // The second of them must not read beside the first one, which still waits.
    for (int i = 0; i < 2; ++i)
      if (auto reopened = writer.reopen(); !reopened) return reopened.error().what;
    log_number(1);
    writer.end(Millis(60'000));
    return numbers_in(folder);
  });
  EXPECT_EQ(told, "1");
}

TEST(TheLogProcess, StaysWhenTheNextOneCannotBe) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) {
    const pid_t before = writer.pid();
    const auto changed = writer.change({.to = {LogTarget::parse("file:/no/such/log").value()}});
    if (changed || writer.pid() != before) return std::string("changed");
    log_number(1);
    writer.end(Millis(60'000));
    return numbers_in(folder);
  });
  EXPECT_EQ(told, "1");
}

TEST(AFullPipe, DropsLinesCountsThemAndTellsIt) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) -> std::string {
    ::kill(writer.pid(), SIGSTOP);
    while (log_board().dropped.value() < 7) log_number(1);
    const auto dropped = log_board().dropped.value();
    ::kill(writer.pid(), SIGCONT);
    writer.end(Millis(60'000));
    std::ifstream file(folder.file());
    std::string warnings;
    for (std::string line; std::getline(file, line);)
      if (const auto found = line.find(" warning "); found != line.npos) warnings += line.substr(found);
    return warnings + (dropped == 7 ? "" : " more");
  });
  EXPECT_EQ(told, " warning log lines lost dropped=7 unwritten=0");
}

TEST(TheEndOfTheLog, IsWaitedForNoLongerThanItsPatience) {
  const Folder folder;
  const auto told = with_writer(to_file(folder), [&](LogWriter& writer) {
    const pid_t process = writer.pid();
    ::kill(process, SIGSTOP);
    writer.end(Millis(1));
    ::kill(process, SIGKILL);
    return std::string("ended");
  });
  EXPECT_EQ(told, "ended");
}
