#pragma once

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "superd/base/log.h"

namespace superd {

/// One line of the log as it crosses the pipe to the log process: an event and its fields, not yet in any sink's form.
/// At most PIPE_BUF bytes, so that write(2) puts it into a pipe whole or not at all, whoever else writes (pipe(7)).
/// Needs no memory but its own.
class LogRecord {
 public:
  /// Of what comes from this process, now. Texts are cut after `longest_text` bytes; fields that find no room any more
  /// are left out, and is_cut() says so.
  LogRecord(Severity severity, std::string_view event, std::span<const LogField> fields) noexcept;

  [[nodiscard]] std::span<const char> bytes() const noexcept { return {bytes_.data(), size_}; }

  static constexpr std::size_t most = PIPE_BUF;
  static constexpr std::size_t longest_text = 1000;

 private:
  bool add(const LogField&) noexcept;
  template <class T>
  void put(T number) noexcept;
  void put(std::string_view text) noexcept;

  std::array<char, most> bytes_;
  std::size_t size_ = 0;
};

/// A record as it is read: refers to the bytes that it was read from.
class LogEntry {
 public:
  struct Read;
  /// The first record of what was read from the pipe, and its size. Nothing, with `size` 0: it is not whole yet, and at
  /// least `missing` bytes of it are still in the pipe. Nothing, with another size: so many bytes are no record, which none
  /// of ours has written.
  static Read read(std::span<const char> bytes) noexcept;
  /// A record that never crossed a pipe.
  explicit LogEntry(const LogRecord& record) noexcept : LogEntry(record.bytes()) {}

  [[nodiscard]] Severity severity() const noexcept { return severity_; }
  [[nodiscard]] std::int32_t process() const noexcept { return process_; }
  [[nodiscard]] std::int64_t nanoseconds() const noexcept { return nanoseconds_; }  ///< since 1970, by the wall clock
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
  [[nodiscard]] std::string_view event() const noexcept { return event_; }

  /// Calls `take(const LogField&)` for each field, in their order.
  template <class Take>
  void each_field(Take take) const {
    auto rest = fields_;
    while (const auto field = next_field(rest)) take(*field);
  }

 private:
  explicit LogEntry(std::span<const char> whole) noexcept;
  static std::optional<LogField> next_field(std::span<const char>& rest) noexcept;

  Severity severity_ = Severity::info;
  bool is_cut_ = false;
  std::int32_t process_ = 0;
  std::int64_t nanoseconds_ = 0;
  std::string_view event_;
  std::span<const char> fields_;
};

struct LogEntry::Read {
  std::optional<LogEntry> entry{};
  std::size_t size = 0, missing = 0;
};

}  // namespace superd
