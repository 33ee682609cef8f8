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

  /// Lines a second. 500 are more than anybody reads, and some 100 kB: a flood of failures leaves a day to notice it
  /// before it has written 9 GB.
  std::uint32_t rate = 500;

  friend bool operator==(const ConversationLogSettings&, const ConversationLogSettings&) = default;
};

/// The log of a service's conversations, in memory that its processes share: zeroed memory logs nothing. Thread-safe.
/// Its rate is kept on the monotonic clock: a jump of the wall clock neither opens nor closes it.
class ConversationLog {
 public:
  void change(const ConversationLogSettings&) noexcept;

  /// Whether such a conversation gets a line, as far as the settings say: one comparison where nothing is logged.
  [[nodiscard]] bool wants(bool failed) const noexcept {
    const auto which = which_.load(std::memory_order_relaxed);
    if (which == LoggedConversations::none || (which == LoggedConversations::failures && !failed)) return false;
    return log_enabled(Severity::info);
  }

  /// Within the rate, now. False, and counted in `left_out`, beyond it. The first one of a second tells how many there
  /// were before.
  bool may_log(std::string_view service, Counter& left_out, Time now) noexcept;

 private:
  std::atomic<LoggedConversations> which_;
  std::atomic<std::uint32_t> rate_;
  std::atomic<std::uint64_t> window_;  // the second, and in its last 24 bits how many lines it has had
  std::atomic<std::uint64_t> told_;    // of those left out
};

}  // namespace superd
