// superd, the program: options, configuration, then the keeper until a signal ends it.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "superd/base/log.h"
#include "superd/config/config.h"
#include "superd/config/plan.h"
#include "superd/super/keeper.h"
#include "superd/super/life.h"
#include "superd/super/tables.h"
#include "superd/super/welcome.h"

namespace {

using superd::ExitCode;

struct Options {
  std::string config;
  std::string check;
  std::optional<std::uint16_t> port_base;
  std::string diff;
  bool print_config = false;
  bool list = false;
};

std::expected<superd::ServiceTable, std::vector<std::string>> wanted_table(const Options& options) {
  const std::string& file = options.check.empty() ? options.config : options.check;
  std::vector<std::string> skipped;
  // What is only looked at is looked at whole.
  auto table = file.empty() ? superd::parse_config(superd::default_config(), "the built-in configuration")
                            : superd::read_config(file, options.check.empty() ? &skipped : nullptr);
  for (const auto& line : skipped)
    superd::log_event(superd::Severity::error, "left out",
                      {
                          {"why", line}
    });
  if (table && options.port_base) table->port_base = *options.port_base;
  return table;
}

ExitCode complain(const std::vector<std::string>& errors, ExitCode code) {
  for (const auto& line : errors) std::fprintf(stderr, "%s\n", line.c_str());
  return code;
}

ExitCode serve(const Options& options, const superd::ServiceTable& table) {
  superd::set_log(table.log_level, table.log_format);
  if (auto prepared = superd::prepare_process(); !prepared)
    return complain({"superd: " + prepared.error().what}, ExitCode::try_again);
  superd::raise_descriptor_limit(table);
  const bool has_file = !options.config.empty();
  superd::Keeper keeper(options.config,
                        has_file ? [&options] { return wanted_table(options); } : superd::Keeper::Reader());
  const auto welcome = has_file ? std::string() : superd::welcome(table);
  if (auto started = keeper.start(table); !started) return complain(started.error(), ExitCode::try_again);
  std::fputs(welcome.c_str(), stdout);
  std::fflush(stdout);
  return keeper.run();
}

// From the file that is in force, or the built-in configuration, to another one.
ExitCode show_difference(const Options& options) {
  const auto now = wanted_table(options), wanted = superd::read_config(options.diff);
  if (!now) return complain(now.error(), ExitCode::misuse);
  if (!wanted) return complain(wanted.error(), ExitCode::misuse);
  const auto plan = superd::difference(*now, *wanted);
  std::fputs(superd::print_plan(plan).c_str(), stdout);
  return plan.is_empty() ? ExitCode::drained : ExitCode::cut;
}

ExitCode act(const Options& options) {
  if (!options.diff.empty()) return show_difference(options);
  if (options.list) {
    std::fputs(superd::tables_as_json().c_str(), stdout);
    return ExitCode::drained;
  }
  const auto table = wanted_table(options);
  if (!table) return complain(table.error(), options.check.empty() ? ExitCode::misuse : ExitCode::cut);
  if (options.print_config) std::fputs(superd::print_config(*table).c_str(), stdout);
  if (options.print_config || !options.check.empty()) return ExitCode::drained;
  return serve(options, *table);
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app(
      "superd: one table of services, each with its listeners, its handler and its server design.\n"
      "Without a file it serves echo, discard, chargen, daytime, time and qotd on the loopback, ports 10000 up.");
  app.add_option("-c,--config", options.config, "serve what this file says (docs/configuration.md)")->type_name("FILE");
  app.add_option("--check", options.check, "only read this file: 0 when it is right, else 1 and every error")
      ->type_name("FILE");
  app.add_option("--diff", options.diff, "print what a reload of this file would change: 0 nothing, 1 something")
      ->type_name("FILE");
  app.add_option("--port-base", options.port_base, "added to every port; overrides the file")->type_name("N");
  app.add_flag("--print-config", options.print_config, "print the configuration with all defaults and end");
  app.add_flag("--list", options.list, "print the services, designs and engines there are, as JSON, and end");
  app.set_version_flag("--version", std::string("superd ") + SUPERD_VERSION);
  app.footer(
      "Signals: SIGTERM or SIGINT drain, a second one cuts; SIGHUP reads the file again; SIGUSR1 opens the\n"
      "log files anew; SIGUSR2 logs all counters.\n"
      "Exit codes: 0 drained, 1 conversations were cut (or --check found errors), 100 misuse, 111 the system said no.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return app.exit(stop) == 0 ? 0 : std::to_underlying(ExitCode::misuse);
  }
  return std::to_underlying(act(options));
} catch (const std::exception& failure) {
  std::fprintf(stderr, "superd: %s\n", failure.what());
  return std::to_underlying(ExitCode::try_again);
}
