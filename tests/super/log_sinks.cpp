#include <sys/socket.h>
#include <sys/un.h>

#include <fstream>
#include <iterator>

#include "superd/super/log_sink.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string contents_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

LogTarget target(const std::string& text) { return LogTarget::parse(text).value(); }

std::uint64_t write(LogSink& sink, std::string_view event) {
  const LogRecord record(Severity::info, event, {});
  sink.add(LogEntry(record));
  return sink.flush();
}

}  // namespace

TEST(AJournalField, IsALineUnlessItHasOneOfItsOwn) {
  std::string text;
  append_journal_field(text, "A", "b c=d");
  append_journal_field(text, "E", "f\ng");
  EXPECT_EQ(text, std::string("A=b c=d\nE\n\3\0\0\0\0\0\0\0f\ng\n", 22));
}

TEST(ALogFile, ThatCannotBeOpenedIsNamed) {
  const auto opened = open_log_sinks({.to = {target("file:/no/such/directory/log")}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(
      opened.error().what,
      "open log file /no/such/directory/log: no such file or directory: make its directory, or name another one in "
      "log_to");
}

TEST(ALogFile, IsAddedTo) {
  const Folder folder;
  for (int i = 0; i < 2; ++i) {
    const auto sinks = open_log_sinks({.to = {target("file:" + folder.file())}});
    ASSERT_TRUE(sinks);
    EXPECT_EQ(write(*sinks->front(), "event"), 0U);
  }
  const auto text = contents_of(folder.file());
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
  EXPECT_TRUE(text.ends_with(" info event\n"));
}

TEST(AFullLogFile, LosesLinesAndCountsThem) {
  const auto sinks = open_log_sinks({.to = {target("file:/dev/full")}});
  ASSERT_TRUE(sinks);
  EXPECT_EQ(write(*sinks->front(), "one"), 1U);
  const LogRecord record(Severity::info, "two", {});
  for (int i = 0; i < 3; ++i) sinks->front()->add(LogEntry(record));
  EXPECT_EQ(sinks->front()->flush(), 3U);
  EXPECT_EQ(sinks->front()->flush(), 0U);
}

TEST(APipeThatNobodyReads, IsWaitedForOnceAndWrittenToWhenSomebodyDoes) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Socket reader(ends[0]);
  const auto sink = make_stream_sink(Socket(ends[1]), LogFormat::text);
  const std::string line(900, 'x');
  std::uint64_t lost = 0;
  while (lost == 0) lost = write(*sink, line);
  EXPECT_EQ(write(*sink, line), 1U);
  std::string text(1 << 20, '\0');
  text.resize(static_cast<std::size_t>(::read(reader.fd(), text.data(), text.size())));
  EXPECT_EQ(write(*sink, "again"), 0U);
  std::string more(4096, '\0');
  more.resize(static_cast<std::size_t>(::read(reader.fd(), more.data(), more.size())));
  text += more;
  EXPECT_TRUE(text.ends_with(" info again\n")) << more;
  EXPECT_EQ(text.size() > 900, true);
}

TEST(ASyslogSink, FindsASocketThatComesLater) {
  const Folder folder;
  const auto sinks = open_log_sinks({.to = {target("syslog:" + folder.file())}});
  ASSERT_TRUE(sinks);
  EXPECT_EQ(write(*sinks->front(), "lost"), 1U);
  const Socket syslogd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto place = Endpoint::unix_path(folder.file()).value();
  ASSERT_EQ(::bind(syslogd.fd(), place.address(), place.size()), 0);
  EXPECT_TRUE(soon([&] { return write(*sinks->front(), "found") == 0; }));
  char text[100];
  const auto size = ::recv(syslogd.fd(), text, sizeof text, MSG_DONTWAIT);
  ASSERT_GT(size, 0);
  const std::string message(text, static_cast<std::size_t>(size));
  EXPECT_TRUE(message.starts_with("<30>")) << message;
  EXPECT_TRUE(message.ends_with(" superd[" + std::to_string(::getpid()) + "]: found")) << message;
}
