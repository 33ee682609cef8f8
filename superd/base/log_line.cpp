#include "superd/base/log_line.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <variant>

#include "superd/base/words.h"

namespace superd {

namespace {

constexpr std::size_t longest_in_text = 200;

// In quotes where it would not be one word otherwise; a quote in it must not end it, or a client could add a field.
void append_value(std::string& to, std::string_view text) {
  const bool is_word = !text.empty() && text.find_first_of(" =\"") == text.npos;
  if (!is_word) to += '"';
  for (const char c : escaped(text, longest_in_text)) {
    if (c == '"')
      to += R"(\x22)";
    else
      to += c;
  }
  if (!is_word) to += '"';
}

// ISO 8601 with the offset of the local time: it says which clock it is, and sorts across changes of summer time.
void append_time(std::string& to, std::int64_t nanoseconds) {
  const std::time_t seconds = nanoseconds / 1'000'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  const auto offset = local.tm_gmtoff / 60, distance = offset < 0 ? -offset : offset;
  std::array<char, 64> text;
  const auto day = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &local);
  to.append(text.data(), day);
  const int rest =
      std::snprintf(text.data(), text.size(), ".%03d%c%02d:%02d", static_cast<int>(nanoseconds / 1'000'000 % 1000),
                    offset < 0 ? '-' : '+', static_cast<int>(distance / 60), static_cast<int>(distance % 60));
  to.append(text.data(), static_cast<std::size_t>(rest));
}

std::string_view colour_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::debug: return "\x1b[36m";
    case Severity::info: return "\x1b[32m";
    case Severity::warning: return "\x1b[33m\x1b[1m";
    case Severity::error: break;
  }
  return "\x1b[31m\x1b[1m";
}

void append_quoted(std::string& to, std::string_view text) {
  to += '"';
  // escaped() has left printable ASCII alone.
  for (const char c : escaped(text, LogRecord::longest_text)) {
    if (c == '"' || c == '\\') to += '\\';
    to += c;
  }
  to += '"';
}

}  // namespace

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::debug: return "debug";
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: break;
  }
  return "error";
}

void append_message(std::string& to, const LogEntry& entry) {
  to += escaped(entry.event());
  entry.each_field([&to](const LogField& field) {
    to.append(" ").append(escaped(field.key)).append("=");
    if (const auto* number = std::get_if<std::int64_t>(&field.value))
      to += std::to_string(*number);
    else
      append_value(to, std::get<std::string_view>(field.value));
  });
  if (entry.is_cut()) to += " ...";
}

void append_text_line(std::string& to, const LogEntry& entry, bool with_colour) {
  append_time(to, entry.nanoseconds());
  to += ' ';
  if (with_colour) to += colour_of(entry.severity());
  to += name_of(entry.severity());
  if (with_colour) to += "\x1b[m";
  to += ' ';
  append_message(to, entry);
  to += '\n';
}

void append_json(std::string& to, const LogEntry& entry) {
  to += R"({"time":")";
  append_time(to, entry.nanoseconds());
  to.append(R"(","severity":")").append(name_of(entry.severity())).append(R"(","event":)");
  append_quoted(to, entry.event());
  entry.each_field([&to](const LogField& field) {
    to += ',';
    append_quoted(to, field.key);
    to += ':';
    if (const auto* number = std::get_if<std::int64_t>(&field.value))
      to += std::to_string(*number);
    else
      append_quoted(to, std::get<std::string_view>(field.value));
  });
  if (entry.is_cut()) to += R"(,"is_cut":true)";
  to += '}';
}

}  // namespace superd
