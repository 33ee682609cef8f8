#include "superd/base/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "superd/base/words.h"

namespace superd {

namespace {

LogFormat chosen_format = LogFormat::text;

spdlog::level::level_enum level_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::debug: return spdlog::level::debug;
    case Severity::info: return spdlog::level::info;
    case Severity::warning: return spdlog::level::warn;
    case Severity::error: break;
  }
  return spdlog::level::err;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("superd", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    return made;
  }();
  return *instance;
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" =\"") != std::string_view::npos;
}

std::string as_text(std::string_view event, std::span<const LogField> fields) {
  std::string line(event);
  for (const auto& [key, value] : fields) {
    line.append(" ").append(key).append("=");
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      line += std::to_string(*number);
      continue;
    }
    const auto text = escaped(std::get<std::string_view>(value));
    line += needs_quotes(text) ? "\"" + text + "\"" : text;
  }
  return line;
}

// Everything but the time, the level and the braces, which the pattern puts around it.
std::string as_json(std::string_view event, std::span<const LogField> fields) {
  nlohmann::ordered_json object;
  object["event"] = event;
  for (const auto& [key, value] : fields) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
      object[std::string(key)] = *number;
    else
      object[std::string(key)] = escaped(std::get<std::string_view>(value), 1000);
  }
  const auto text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.substr(1);
}

}  // namespace

void set_log(Severity least, LogFormat format) {
  chosen_format = format;
  logger().set_level(level_of(least));
  if (format == LogFormat::json) logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","severity":"%l",%v)");
}

bool log_enabled(Severity severity) noexcept { return logger().should_log(level_of(severity)); }

void log_event(Severity severity, std::string_view event, std::span<const LogField> fields) noexcept {
  if (!log_enabled(severity)) return;
  try {
    logger().log(level_of(severity),
                 chosen_format == LogFormat::json ? as_json(event, fields) : as_text(event, fields));
  } catch (...) {
    // A line that cannot be made or written is not worth a conversation.
  }
}

}  // namespace superd
