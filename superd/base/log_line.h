#pragma once

#include <string>

#include "superd/base/log_record.h"

namespace superd {

/// "event key=value key="two words"", without time and severity: what syslog and the journal add themselves.
void append_message(std::string& to, const LogEntry&);

/// "2026-11-27T03:33:13.123+00:00 info event key=value", and a newline. `with_colour` is for a terminal.
void append_text_line(std::string& to, const LogEntry&, bool with_colour = false);

/// {"time":"2026-11-27T03:33:13.123+00:00","severity":"info","event":"...",...}; ASCII alone, hence always valid UTF-8.
void append_json(std::string& to, const LogEntry&);

[[nodiscard]] std::string_view name_of(Severity) noexcept;

}  // namespace superd
