#include "superd/super/log_sink.h"

#include "superd/base/log.h"

namespace superd {

namespace {

Result<std::unique_ptr<LogSink>> open_sink(const LogTarget& target, const LogSettings& settings) {
  switch (target.kind) {
    case LogTarget::Kind::standard_error: return make_stream_sink(Socket(), settings.format);
    case LogTarget::Kind::syslog: return make_syslog_sink(target.path, settings.format, settings.facility);
    case LogTarget::Kind::journal: return make_journal_sink(target.path, settings.facility);
    case LogTarget::Kind::file: break;
  }
  auto file = open_log_file(target.path);
  if (!file) return std::unexpected(file.error());
  return make_stream_sink(std::move(*file), settings.format);
}

}  // namespace

Result<LogSinks> open_log_sinks(const LogSettings& settings) {
  LogSinks sinks;
  for (const auto& target : settings.to) {
    auto sink = open_sink(target, settings);
    if (!sink) return std::unexpected(sink.error());
    if ((*sink)->descriptor() < 0)
      log_event(Severity::warning, "nobody takes log lines yet",
                {
                    {"at",   target.path                      },
                    {"then", "it is tried again at every line"}
      });
    sinks.push_back(std::move(*sink));
  }
  return sinks;
}

}  // namespace superd
