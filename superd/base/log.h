#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace superd {

enum class Severity : std::uint8_t { debug, info, warning, error };

/// One "key=value" of a log line. Text is referred to, not copied: it must last for the call.
struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : LogField(name, std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text) : LogField(name, std::string_view(text)) {}
  LogField(std::string_view name, std::integral auto number) : key(name), value(static_cast<std::int64_t>(number)) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t> value;
};

enum class LogFormat : std::uint8_t { text, json };

/// The least that is logged, here and in all processes that write into the same pipe (base/log_pipe.h), and how lines look
/// that this process writes to stderr directly. Below `least` a line costs a comparison.
void set_log(Severity least, LogFormat format) noexcept;

[[nodiscard]] bool log_enabled(Severity) noexcept;

/// One event, one line: "listening service=echo on=tcp/127.0.0.1:7", or an object of JSON. Control bytes in values are
/// escaped, so that no client can write a line of its own. Thread-safe, and never waits for whoever reads the log, once
/// there is a pipe to the log process (base/log_pipe.h): what finds no room in it is dropped and counted. Without one it
/// is written to stderr, as it was before there was one, and waits for that.
void log_event(Severity, std::string_view event, std::span<const LogField> fields) noexcept;
inline void log_event(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {}) noexcept {
  log_event(severity, event, std::span(fields.begin(), fields.size()));
}

}  // namespace superd
