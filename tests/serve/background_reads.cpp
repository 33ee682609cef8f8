#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "superd/serve/direct_path.h"
#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class ReadingAFile : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, ReadingAFile, ::testing::ValuesIn(waiter_names()), name_of_case);

/// Where the handlers, which capture nothing, find their file.
int file = -1;

constexpr std::size_t file_size = 300'000;

std::string content() {
  std::string text(file_size, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

/// A file without a name; `folder` tells on which file system.
class TemporaryFile {
 public:
  explicit TemporaryFile(const char* folder) : socket_(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (!is_open()) return;
    const auto text = content();
    if (::write(socket_.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(socket_.fd()) != 0)
      throw std::runtime_error("cannot write a file");
    file = socket_.fd();
  }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  void drop_from_cache() const { ::posix_fadvise(socket_.fd(), 0, 0, POSIX_FADV_DONTNEED); }

 private:
  Socket socket_;  // owns any descriptor
};

std::string outcome(const std::expected<std::size_t, int>& result) {
  return result ? std::to_string(*result) : errno_text(result.error());
}

task<> reads_all(auto& client, Notes& notes) {
  std::string text(file_size, '\0');
  const auto room = std::as_writable_bytes(std::span(text));
  const auto result = co_await client.read_file(file, 0, room);
  notes.add(outcome(result));
  notes.add(text == content() ? "right" : "wrong");
}

std::vector<std::string> notes_of(const std::string& waiter, StreamScript script) {
  Conversation conversation(waiter, script);
  conversation.begin();
  EXPECT_TRUE(conversation.ended());
  return conversation.notes.all();
}

const std::vector<std::string> all_right{"300000", "right"};

}  // namespace

TEST_P(ReadingAFile, FromThePageCacheCostsNoDetour) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  // As whoever reads it once more finds it.
  std::string text(file_size, '\0');
  ASSERT_EQ(::pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(file_size));
  const auto before = background().figures().ended;
  EXPECT_EQ(notes_of(waiter(), reads_all<Connection>), all_right);
  EXPECT_EQ(background().figures().ended, before);
}

TEST_P(ReadingAFile, FromTheDiskIsDoneInTheBackground) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  temporary.drop_from_cache();
  char first;
  const iovec part{&first, 1};
  if (::preadv2(file, &part, 1, 0, RWF_NOWAIT) >= 0) GTEST_SKIP() << "the page cache keeps what it shall drop";
  const auto before = background().figures().ended;
  EXPECT_EQ(notes_of(waiter(), reads_all<Connection>), all_right);
  EXPECT_EQ(background().figures().ended - before, waiter() == "blocking" ? 0U : 1U);
}

TEST_P(ReadingAFile, InPartsIsRightWhereOnlyABeginningIsInTheCache) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  temporary.drop_from_cache();
  ::posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);  // no more than what is asked for
  char first;
  ASSERT_EQ(::pread(file, &first, 1, 0), 1);
  EXPECT_EQ(notes_of(waiter(), reads_all<Connection>), all_right);
}

TEST_P(ReadingAFile, EndsWithTheFile) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  const auto read_around_the_end = [](Connection& client, Notes& notes) -> task<> {
    std::string text(1'000, '\0');
    const auto room = std::as_writable_bytes(std::span(text));
    const auto nothing = room.first(0);
    for (const std::size_t offset : {file_size - 1'000, file_size - 10, file_size, file_size * 2}) {
      const auto result = co_await client.read_file(file, offset, room);
      notes.add(outcome(result));
    }
    const auto result = co_await client.read_file(file, 0, nothing);
    notes.add(outcome(result));
  };
  EXPECT_EQ(notes_of(waiter(), read_around_the_end), (std::vector<std::string>{"1000", "10", "0", "0", "0"}));
}

TEST_P(ReadingAFile, TellsWhatIsWrong) {
  const auto read_nonsense = [](Connection& client, Notes& notes) -> task<> {
    std::string text(10, '\0');
    const auto room = std::as_writable_bytes(std::span(text));
    const auto closed = co_await client.read_file(-1, 0, room);
    notes.add(outcome(closed));
    const Socket folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto directory = co_await client.read_file(folder.fd(), 0, room);
    notes.add(outcome(directory));
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) co_return;
    const Socket pipe(ends[0]), other(ends[1]);
    const auto from_pipe = co_await client.read_file(pipe.fd(), 0, room);
    notes.add(outcome(from_pipe));
    const Socket writing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    const auto not_readable = co_await client.read_file(writing.fd(), 0, room);
    notes.add(outcome(not_readable));
  };
  EXPECT_EQ(notes_of(waiter(), read_nonsense),
            (std::vector<std::string>{"bad file descriptor", "is a directory", "illegal seek", "bad file descriptor"}));
}

TEST_P(ReadingAFile, BeyondEveryFileIsAnError) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  const auto read_far_away = [](Connection& client, Notes& notes) -> task<> {
    std::string text(10, '\0');
    const auto room = std::as_writable_bytes(std::span(text));
    constexpr auto far_away = ~std::uint64_t{0};
    const auto result = co_await client.read_file(file, far_away, room);
    notes.add(outcome(result));
  };
  EXPECT_EQ(notes_of(waiter(), read_far_away), std::vector<std::string>{"invalid argument"});
}

TEST_P(ReadingAFile, WorksWhereTheFileSystemCannotTellWhatItHas) {
  // memfd_create(2): shared memory, which knows no RWF_NOWAIT before Linux 6.6.
  const Socket memory(::memfd_create("test", MFD_CLOEXEC));
  const auto text = content();
  ASSERT_EQ(::write(memory.fd(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  file = memory.fd();
  EXPECT_EQ(notes_of(waiter(), reads_all<Connection>), all_right);
}

TEST_P(ReadingAFile, IsOverWhenTheConversationIsCut) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const auto chunk = co_await client.read();
    std::string text(10, '\0');
    const auto room = std::as_writable_bytes(std::span(text));
    const auto result = co_await client.read_file(file, 0, room);
    notes.add((chunk ? "" : name_of_end(client)) + ", " + outcome(result));
  });
  conversation.begin();
  conversation.cut();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), std::vector<std::string>{"cut, operation canceled"});
}

// A read must not end a conversation whose client has sent all it will: the answer is still wanted.
TEST_P(ReadingAFile, GoesOnAfterTheClientsLastByte) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    std::string request;
    while (const auto chunk = co_await client.read()) request += chunk.text();
    std::string text(10, '\0');
    const auto room = std::as_writable_bytes(std::span(text));
    for (int i = 0; i < 2; ++i) {
      const auto result = co_await client.read_file(file, 0, room);
      notes.add(outcome(result));
      ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    }
    co_await client.write(text);
  });
  ASSERT_TRUE(send_text(conversation.client, "please"));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client), content().substr(0, 10));
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"10", "10"}));
}

TEST_P(ReadingAFile, IsForDatagramsToo) {
  const TemporaryFile temporary("/var/tmp");
  ASSERT_TRUE(temporary.is_open());
  temporary.drop_from_cache();
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr, reads_all<Datagram>));
  const auto listener =
      std::make_shared<Listener>(listen_at("udp/127.0.0.1:0"), Transport::udp, endpoint("127.0.0.1:4001"), hosted);
  DirectPath path(listener);
  std::unique_ptr<DatagramSlot> slot(new DatagramSlot);
  slot->from = endpoint("127.0.0.1:4000");
  slot->size = 1;
  auto seat = hosted->level.take();
  converse(listener, slot, path, loop.waiter(), *seat);
  seat->leave();
  loop.run_until_empty(hosted->level);
  EXPECT_EQ(notes.all(), all_right);
}
