#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "superd/base/clock.h"
#include "superd/base/counter.h"
#include "superd/base/log.h"

namespace superd {

/// Which conversations of a service get a line of the log when they are over.
enum class LoggedConversations : std::uint8_t {
  none,
  failures,  ///< that failed, crashed, timed out or were cut by us
  all,       ///< datagrams too
};

struct ConversationLogSettings {
  /// Failures are what somebody will be asked about later, and are rare; who served whom is wanted by some, and costs
  /// each of them a write(2) and a disk.
  LoggedConversations which = LoggedConversations::failures;

  /// Lines a second about conversations, and as many of what programs say, and of packets that were seen. 500 are more than anybody reads, and some
  /// 100 kB: a flood of failures leaves a day to notice it before it has written 9 GB.
  std::uint32_t rate = 500;

  friend bool operator==(const ConversationLogSettings&, const ConversationLogSettings&) = default;
};

/// Lines of one kind, at most so many a second, in memory that processes share: zeroed memory has had none. Thread-safe.
/// Kept on the monotonic clock: a jump of the wall clock neither opens nor closes it.
class LogRate {
 public:
  /// False, and counted, beyond the rate. The first line of a second is preceded by one that tells how many were left out
  /// before, `of` what.
  bool may_log(std::string_view service, std::string_view of, std::uint32_t rate, Time now) noexcept;

 private:
  void tell_left_out(std::string_view service, std::string_view of) noexcept;

  std::atomic<std::uint64_t> window_;  // the second, and in its last 24 bits how many lines it has had
  Counter left_out_;
  std::atomic<std::uint64_t> told_;
};

/// What is logged of a service's conversations, in memory that its processes share: zeroed memory logs failures of ours
/// alone, which are errors in any case. Thread-safe.
class ConversationLog {
 public:
  void change(const ConversationLogSettings&) noexcept;

  /// Whether such a conversation gets a line, as far as the settings say: one comparison where nothing is logged.
  [[nodiscard]] bool wants(bool failed) const noexcept {
    const auto which = which_.load(std::memory_order_relaxed);
    if (which == LoggedConversations::none || (which == LoggedConversations::failures && !failed)) return false;
    return log_enabled(Severity::info);
  }

  /// Whether the rate allows a line now; one that it does not is counted in `left_out`.
  bool may_log_conversation(std::string_view service, Counter& left_out, Time now) noexcept {
    return allowed(conversations_, service, "conversations", left_out, now);
  }
  bool may_log_packet(std::string_view service, Counter& left_out, Time now) noexcept {
    return allowed(packets_, service, "packets", left_out, now);
  }
  bool may_log_program(std::string_view service, Counter& left_out, Time now) noexcept {
    return allowed(programs_, service, "what programs say", left_out, now);
  }

 private:
  bool allowed(LogRate&, std::string_view service, std::string_view of, Counter& left_out, Time now) const noexcept;

  std::atomic<LoggedConversations> which_;
  std::atomic<std::uint32_t> rate_;
  LogRate conversations_, programs_, packets_;
};

}  // namespace superd
