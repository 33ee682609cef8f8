#include "superd/base/log_record.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string>
#include <variant>

namespace superd {

namespace {

// What a record begins with. Behind it: the event, then each field as its name, its type and its value; texts have their
// length before them.
struct Header {
  std::uint16_t mark;  // of a record: what was garbled is noticed
  std::uint16_t size;  // of all of it
  Severity severity;
  bool is_cut;
  std::int32_t process;
  std::int64_t nanoseconds;
};

constexpr std::uint16_t mark_of_record = 0x5da9;
enum class Type : std::uint8_t { number, text };

std::int64_t now_by_the_wall() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

template <class T>
bool take(std::span<const char>& rest, T& number) noexcept {
  if (rest.size() < sizeof number) return false;
  std::memcpy(&number, rest.data(), sizeof number);
  rest = rest.subspan(sizeof number);
  return true;
}

bool take(std::span<const char>& rest, std::string_view& text) noexcept {
  std::uint16_t size = 0;
  if (!take(rest, size) || rest.size() < size) return false;
  text = {rest.data(), size};
  rest = rest.subspan(size);
  return true;
}

}  // namespace

template <class T>
void LogRecord::put(T number) noexcept {
  std::memcpy(bytes_.data() + size_, &number, sizeof number);
  size_ += sizeof number;
}

void LogRecord::put(std::string_view text) noexcept {
  put(static_cast<std::uint16_t>(text.size()));
  std::memcpy(bytes_.data() + size_, text.data(), text.size());
  size_ += text.size();
}

LogRecord::LogRecord(Severity severity, std::string_view event, std::span<const LogField> fields) noexcept
    : size_(sizeof(Header)) {
  put(event.substr(0, longest_text));
  bool is_cut = false;
  for (const auto& field : fields)
    if (!add(field)) is_cut = true;
  Header header{};
  header = {.mark = mark_of_record,
            .size = static_cast<std::uint16_t>(size_),
            .severity = severity,
            .is_cut = is_cut,
            .process = getpid(),
            .nanoseconds = now_by_the_wall()};
  std::memcpy(bytes_.data(), &header, sizeof header);
}

bool LogRecord::add(const LogField& field) noexcept {
  const auto* number = std::get_if<std::int64_t>(&field.value);
  const auto text = number ? std::string_view{} : std::get<std::string_view>(field.value);
  // One more than is shown, so that whoever shows it sees that there was more.
  const auto kept = text.substr(0, longest_text + 1);
  const auto key = field.key.substr(0, 64);
  const auto needed = 2 + key.size() + 1 + (number ? sizeof *number : 2 + kept.size());
  if (size_ + needed > most) return false;
  put(key);
  put(number ? Type::number : Type::text);
  if (number)
    put(*number);
  else
    put(kept);
  return true;
}

LogEntry::LogEntry(std::span<const char> whole) noexcept {
  Header header{};
  if (!take(whole, header) || !take(whole, event_)) return;
  severity_ = std::min(header.severity, Severity::error);
  is_cut_ = header.is_cut;
  process_ = header.process;
  nanoseconds_ = header.nanoseconds;
  fields_ = whole;
}

LogEntry::Read LogEntry::read(std::span<const char> bytes) noexcept {
  Header header{};
  auto rest = bytes;
  if (!take(rest, header)) return {.missing = sizeof header - bytes.size()};
  if (header.mark != mark_of_record || header.size < sizeof header || header.size > LogRecord::most)
    return {.size = bytes.size()};
  if (bytes.size() < header.size) return {.missing = header.size - bytes.size()};
  return {.entry = LogEntry(bytes.first(header.size)), .size = header.size};
}

std::optional<LogField> LogEntry::next_field(std::span<const char>& rest) noexcept {
  std::string_view key, text;
  Type type{};
  std::int64_t number = 0;
  if (!take(rest, key) || !take(rest, type)) return std::nullopt;
  if (type == Type::number) return take(rest, number) ? std::optional(LogField(key, number)) : std::nullopt;
  return take(rest, text) ? std::optional(LogField(key, text)) : std::nullopt;
}

}  // namespace superd
