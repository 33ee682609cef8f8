#include <gtest/gtest.h>

#include <climits>
#include <vector>

#include "superd/base/log_line.h"

using namespace superd;

namespace {

std::string message(std::string_view event, std::vector<LogField> fields) {
  const LogRecord record(Severity::info, event, fields);
  std::string text;
  append_message(text, LogEntry(record));
  return text;
}

std::string json(std::string_view event, std::vector<LogField> fields) {
  const LogRecord record(Severity::warning, event, fields);
  std::string text;
  append_json(text, LogEntry(record));
  return text.substr(text.find(R"("severity")"));
}

}  // namespace

TEST(ALogLine, HasItsFieldsInTheirOrder) {
  EXPECT_EQ(message("it happened",
                    {
                        {"b", 1     },
                        {"a", "text"},
                        {"c", -2    }
  }),
            "it happened b=1 a=text c=-2");
  EXPECT_EQ(json("it happened",
                 {
                     {"b", 1     },
                     {"a", "text"},
                     {"c", -2    }
  }),
            R"("severity":"warning","event":"it happened","b":1,"a":"text","c":-2})");
}

TEST(ALogLine, KeepsAValueTogether) {
  EXPECT_EQ(message("e",
                    {
                        {"a", ""         },
                        {"b", "two words"},
                        {"c", "x=y"      }
  }),
            R"(e a="" b="two words" c="x=y")");
  EXPECT_EQ(message("e",
                    {
                        {"a", R"(x" b="forged)"}
  }),
            R"(e a="x\x22 b=\x22forged")");
}

TEST(ALogLine, ShowsControlBytesAndObeysNone) {
  const std::string_view hostile("a\n\r\x1b[2J\0\x9b\xff\\", 11);
  EXPECT_EQ(message("e",
                    {
                        {"a", hostile}
  }),
            R"(e a=a\x0a\x0d\x1b[2J\x00\x9b\xff\x5c)");
  EXPECT_EQ(json("e",
                 {
                     {"a", hostile}
  }),
            R"("severity":"warning","event":"e","a":"a\\x0a\\x0d\\x1b[2J\\x00\\x9b\\xff\\x5c"})");
}

TEST(ALogLine, CutsLongValues) {
  const std::string longer(2000, 'x');
  EXPECT_EQ(message("e",
                    {
                        {"a", longer}
  }),
            "e a=" + std::string(200, 'x') + "...");
  EXPECT_EQ(json("e",
                 {
                     {"a", longer}
  }),
            R"("severity":"warning","event":"e","a":")" + std::string(1000, 'x') + R"(..."})");
}

TEST(ALogLine, TellsTheWallClockWithItsOffset) {
  const LogRecord record(Severity::debug, "e", {});
  std::string line;
  append_text_line(line, LogEntry(record));
  ASSERT_GE(line.size(), 29U);
  for (std::size_t i = 0; const char sign : std::string("dddd-dd-ddTdd:dd:dd.ddd")) {
    if (sign == 'd')
      EXPECT_TRUE(line[i] >= '0' && line[i] <= '9') << line;
    else
      EXPECT_EQ(line[i], sign) << line;
    ++i;
  }
  EXPECT_TRUE(line[23] == '+' || line[23] == '-') << line;
  EXPECT_TRUE(line.ends_with(" debug e\n")) << line;
}

TEST(ARecord, FitsIntoAPipeWholeWhateverIsPutIntoIt) {
  const std::string large(100'000, 'x');
  std::vector<LogField> fields;
  for (int i = 0; i < 100; ++i) fields.emplace_back(large, large);
  const LogRecord record(Severity::info, large, fields);
  EXPECT_LE(record.bytes().size(), PIPE_BUF);
  const auto read = LogEntry::read(record.bytes());
  ASSERT_TRUE(read.entry);
  EXPECT_TRUE(read.entry->is_cut());
  int count = 0;
  read.entry->each_field([&](const LogField&) { ++count; });
  EXPECT_EQ(count, 2);
  EXPECT_TRUE(message(large, fields).ends_with(" ..."));
}

TEST(ARecord, IsReadWhenItIsWholeAndNotBefore) {
  const std::vector<LogField> fields{
      {"a", "text"},
      {"b", 7     }
  };
  const LogRecord record(Severity::error, "it happened", fields);
  const auto bytes = record.bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = LogEntry::read(bytes.first(size));
    EXPECT_FALSE(read.entry) << size;
    EXPECT_EQ(read.size, 0U) << size;
    EXPECT_GT(read.missing, 0U) << size;
    EXPECT_LE(size + read.missing, bytes.size()) << size;
  }
  const auto read = LogEntry::read(bytes);
  EXPECT_EQ(read.size, bytes.size());
  EXPECT_EQ(read.entry->severity(), Severity::error);
  EXPECT_EQ(read.entry->event(), "it happened");
}

TEST(ARecord, ThatNobodyOfOursWroteIsSkipped) {
  std::vector<char> bytes(1000, 'x');
  const auto read = LogEntry::read(bytes);
  EXPECT_FALSE(read.entry);
  EXPECT_EQ(read.size, bytes.size());
}

TEST(ARecord, WhoseContentsLieAboutTheirLengthIsReadAsFarAsItGoes) {
  const std::vector<LogField> fields{
      {"a", "text"},
      {"b", "more"}
  };
  const LogRecord record(Severity::info, "e", fields);
  for (std::size_t at = 24; at < record.bytes().size(); ++at) {
    std::vector<char> bytes(record.bytes().begin(), record.bytes().end());
    bytes[at] = '\xff';
    const auto read = LogEntry::read(bytes);
    ASSERT_TRUE(read.entry);
    std::string text;
    append_json(text, *read.entry);
    EXPECT_TRUE(text.ends_with("}"));
  }
}
