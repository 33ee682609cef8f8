#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/log.h"
#include "superd/config/log_target.h"
#include "superd/designs/design.h"
#include "superd/net/listen_address.h"
#include "superd/net/passive.h"
#include "superd/serve/conversation_log.h"
#include "superd/serve/limits.h"
#include "superd/serve/program.h"
#include "superd/services/services.h"

namespace superd {

/// One service as the configuration wants it: plain values. Two that are equal are served alike, which is all there is
/// to a reload.
struct ServiceSettings {
  std::string name;                   ///< of its [service.NAME]
  std::string handler;                ///< a row of services(); the service's name where not given; empty for a program
  Program program = no_program();     ///< without words: a handler serves
  std::vector<ListenAddress> listen;  ///< at least one
  HandlerSettings settings;           ///< what the handler is told
  DesignSettings design;
  Limits limits;
  ListenOptions options;  ///< backlog, buffers, keepalive, and mode, owner and group of unix sockets
  ConversationLogSettings log;
  std::string group;     ///< services of one group share the threads of one design; empty: see docs/designs.md
  bool isolate = false;  ///< has a process of its own, whose end is nobody else's

  [[nodiscard]] bool has_program() const noexcept { return !program.launch.words.empty(); }
  /// What a program has that says nothing else.
  static Program no_program() {
    Program program;
    program.launch.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    return program;
  }

  friend bool operator==(const ServiceSettings&, const ServiceSettings&) = default;
};

/// What becomes of the rest when a file of an included directory is wrong.
enum class IncludeErrors : std::uint8_t { refuse, skip };

/// All that superd serves, and how it lives.
struct ServiceTable {
  std::vector<ServiceSettings> services;  ///< in the order of the file
  std::uint16_t port_base = 0;

  /// How long conversations may go on after SIGTERM. Ten seconds are what most supervisors wait before they kill.
  Millis drain{10'000};

  /// Whose rights handlers have. None given: nobody's where superd is root, else its own.
  std::optional<Launch::Identity> host_user;
  /// A host that has not said for so long that it lives is replaced. Longer than a throttled or swapping machine holds a
  /// process up.
  Millis heartbeat{10'000};
  std::string pid_file;  ///< empty: none
  /// Conversations at once of all services together. What their levels sum up to is bound enough, unless there are many.
  int overall_level = no_overall_level;
  static constexpr int no_overall_level = 1'000'000;
  std::vector<std::string> include;  ///< of the file that is being read; its services are here, so it is empty then
  IncludeErrors include_errors = IncludeErrors::refuse;

  LogFormat log_format = LogFormat::text;
  Severity log_level = Severity::info;
  /// stderr, because whoever starts superd for the first time looks there, and containers and systemd collect it.
  std::vector<LogTarget> log_to{LogTarget{}};
  LogFacility log_facility = LogFacility::daemon;

  friend bool operator==(const ServiceTable&, const ServiceTable&) = default;
};

}  // namespace superd
