// superctl, the user's tool: options, then the clients of superd/lab.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>

#include "superd/base/units.h"
#include "superd/lab/discover.h"
#include "superd/lab/file_commands.h"
#include "superd/lab/ping_command.h"
#include "superd/lab/trace_command.h"

namespace {

constexpr int misuse = 100, try_again = 111;

struct Options {
  std::string url, output, input;
  std::string patience = "60s", total = "1h";
  bool begins_anew = false;
  superd::TransferManner manner;
};

struct PingOptions {
  superd::PingRequest request;
  std::string interval = "1s", timeout = "1s";
  std::uint32_t count = 0;
  bool only_v4 = false, only_v6 = false;
};

struct TraceOptions {
  superd::TraceRequest request;
  std::string timeout = "1s";
  bool only_v4 = false, only_v6 = false;
};

/// A duration as the configuration of superd has them, checked while options are read.
CLI::Validator duration(superd::Millis least = superd::Millis(1)) {
  return {[least](const std::string& text) {
            const auto read = superd::parse_duration(text);
            return read && *read >= least ? std::string() : "\"" + text + "\" is no duration: as in 500ms, 60s or 5m";
          },
          ""};
}

CLI::Validator between(int least, int most) { return CLI::Range(least, most).description(""); }

void add_common(CLI::App& command, Options& options) {
  auto& manner = options.manner;
  command.add_flag("-q,--quiet", manner.is_quiet, "no progress, no summary, no checksum; errors alone");
  command.add_option("--patience", options.patience, "give up after so long without an answer (60s)")
      ->check(duration())
      ->type_name("TIME");
  command.add_option("--total", options.total, "give up after so long in all (1h)")
      ->check(duration())
      ->type_name("TIME");
}

void add_transfer(CLI::App& command, Options& options) {
  auto& manner = options.manner;
  command.add_option("--block", manner.block, "bytes in a datagram, 8 to 64512 (1400); the server may want less")
      ->check(between(8, 64'512))
      ->type_name("N");
  command.add_option("--window", manner.window, "datagrams under way at once, up to 256 (8); the server may want less")
      ->check(between(1, 256))
      ->type_name("N");
  command.add_option("--tries", manner.tries, "tftp: how often to begin a transfer that breaks off (3)")
      ->check(between(1, 1000))
      ->type_name("N");
  command
      .add_option("--server-timeout", manner.server_timeout, "tftp: the server sends again after N seconds, up to 255")
      ->check(between(1, 255))
      ->type_name("N");
  add_common(command, options);
}

constexpr auto get_help =
    "Fetches a file over FSP or TFTP.\n"
    "It appears under its name at once, when all of it is here. Over fsp, what has arrived of one that was "
    "interrupted\n"
    "lies beside it as NAME.VERSION.part, and the same command goes on from there, if the file is still the same by "
    "its\n"
    "size and time. Over tftp it begins again. The checksum is printed as sha256sum has it.";
constexpr auto put_help =
    "Brings a file to a server that takes files, over FSP or TFTP. The server gives it its name when all of it is "
    "there.\n"
    "A URL that ends in a slash means the file's own name in that directory.";
constexpr auto list_help = "Lists a directory: d or -, size, time (UTC) and name. Over fsp alone; tftp cannot tell.";

constexpr auto ping_help =
    "Sends echo requests and tells of the answers: TARGET is a name, an address, or a network as 10.1.0.0/16.\n"
    "Over a ping socket where the kernel allows one, which needs no privilege, else over a raw one.";

void add_families(CLI::App& command, bool& only_v4, bool& only_v6) {
  auto* const v4 = command.add_flag("-4", only_v4, "IPv4 alone");
  command.add_flag("-6", only_v6, "IPv6 alone")->excludes(v4);
}

superd::Family family_of(bool only_v4, bool only_v6) {
  return only_v4 ? superd::Family::v4 : only_v6 ? superd::Family::v6 : superd::Family::any;
}

CLI::App* add_ping(CLI::App& app, PingOptions& options) {
  auto* const ping = app.add_subcommand("ping", ping_help);
  auto& manner = options.request.manner;
  ping->add_option("TARGET", options.request.targets, "whom to ask")->required();
  ping->add_option("-c,--count", options.count,
                   "requests to each target (5; 1 where there is a network); 0: until Ctrl-C")
      ->type_name("N");
  ping->add_option("-i,--interval", options.interval, "between two to the same target (1s)")
      ->check(duration(superd::Millis(0)))
      ->type_name("TIME");
  ping->add_option("--timeout", options.timeout, "after so long there is no answer (1s)")
      ->check(duration())
      ->type_name("TIME");
  ping->add_option("--rate", manner.rate,
                   "requests a second to all targets together (1000); 0: as fast as answers come")
      ->check(between(0, 10'000'000))
      ->type_name("N");
  ping->add_option("-s,--size", manner.size, "bytes in a request, 24 to 65507 (56)")
      ->check(between(24, 65'507))
      ->type_name("N");
  ping->add_option("--ttl", manner.ttl, "routers that a request may pass, 1 to 255 (the system's)")
      ->check(between(1, 255))
      ->type_name("N");
  add_families(*ping, options.only_v4, options.only_v6);
  ping->add_flag("--json", options.request.is_json, "one JSON object, at the end");
  ping->add_flag("-q,--quiet", options.request.is_quiet, "the summary alone");
  return ping;
}

int run_ping(const CLI::App& command, PingOptions& options) {
  auto& request = options.request;
  if (command.count("--count") > 0) request.count = options.count;
  request.manner.interval = *superd::parse_duration(options.interval);
  request.manner.timeout = *superd::parse_duration(options.timeout);
  request.family = family_of(options.only_v4, options.only_v6);
  return superd::ping(request);
}

constexpr auto trace_help =
    "Tells the routers on the way to a host, and how long each takes: all are asked at once.\n"
    "By UDP and TCP it needs no privilege; by ICMP none where the kernel allows ping sockets.";

CLI::App* add_trace(CLI::App& app, TraceOptions& options) {
  auto* const trace = app.add_subcommand("trace", trace_help);
  auto& [request, timeout, only_v4, only_v6] = options;
  const std::map<std::string, superd::TraceProtocol> protocols{
      {"icmp", superd::TraceProtocol::icmp},
      {"udp",  superd::TraceProtocol::udp },
      {"tcp",  superd::TraceProtocol::tcp }
  };
  trace->add_option("TARGET", request.target, "a name or an address")->required();
  trace->add_option("--protocol", request.protocol, "icmp, udp or tcp (icmp)")
      ->transform(CLI::CheckedTransformer(protocols).description(""))
      ->type_name("NAME");
  trace->add_option("--port", request.port, "of tcp (80); of udp the first of many (33434)")
      ->check(between(1, 60'000))
      ->type_name("N");
  trace->add_option("--max-hops", request.manner.most_hops, "how far to look, 1 to 255 (30)")
      ->check(between(1, 255))
      ->type_name("N");
  trace->add_option("--probes", request.manner.probes, "of each hop, 1 to 10 (3)")
      ->check(between(1, 10))
      ->type_name("N");
  trace->add_option("--timeout", timeout, "after so long without an answer a probe is sent again, once (1s)")
      ->check(duration())
      ->type_name("TIME");
  add_families(*trace, only_v4, only_v6);
  trace->add_flag("--names", request.has_names, "names of routers, looked up when all is measured");
  trace->add_flag("--json", request.is_json, "one JSON object, at the end");
  return trace;
}

int run_trace(TraceOptions& options) {
  options.request.manner.timeout = *superd::parse_duration(options.timeout);
  options.request.family = family_of(options.only_v4, options.only_v6);
  return superd::trace(options.request);
}

struct DiscoverOptions {
  superd::DiscoverRequest request;
  std::string wait = "2s";
};

CLI::App* add_discover(CLI::App& app, DiscoverOptions& options) {
  auto& request = options.request;
  auto* const discover = app.add_subcommand(
      "discover", "Asks a group, or hosts, which services superd serves there: a line for each, with tabs between.");
  discover->add_option("HOST", request.hosts, "asked instead of the group");
  discover->add_option("--group", request.group, "and by which interface, as in 239.255.83.68%eth0 (by all)")
      ->type_name("ADDRESS");
  discover->add_option("--port", request.port, "of the beacons (8368)")->check(between(1, 65'535))->type_name("N");
  discover->add_option("--wait", options.wait, "for answers (2s)")->check(duration())->type_name("TIME");
  discover->add_flag("--json", request.is_json, "one JSON array, at the end");
  return discover;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("superctl: files over FSP and TFTP, ping, trace, and what is served around here.", "superctl");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("superctl ") + SUPERD_VERSION);
  app.footer(
      "A URL is fsp://[PASSWORD@]HOST[:PORT]/PATH or tftp://HOST[:PORT]/PATH; %XX is a byte of the path.\n"
      "Exit codes: 0 done, 1 failed, 100 misuse, 111 it may succeed later: nobody answered, or the file changed.\n"
      "superctl COMMAND --help tells of a command.");

  auto* const get = app.add_subcommand("get", get_help);
  get->add_option("URL", options.url, "what to fetch")->required();
  get->add_option("-o,--output", options.output, "what to call it here (as in the URL); - is the standard output")
      ->type_name("FILE");
  get->add_flag("--no-resume", options.begins_anew, "fsp: begin anew, whatever has arrived before");
  add_transfer(*get, options);

  auto* const put = app.add_subcommand("put", put_help);
  put->add_option("FILE", options.input, "what to bring")->required();
  put->add_option("URL", options.url, "where to bring it")->required();
  add_transfer(*put, options);

  auto* const list = app.add_subcommand("ls", list_help);
  list->add_option("URL", options.url, "which directory")->required();
  add_common(*list, options);

  PingOptions ping_options;
  auto* const ping = add_ping(app, ping_options);
  TraceOptions trace_options;
  auto* const trace = add_trace(app, trace_options);
  DiscoverOptions discover_options;
  auto* const discover = add_discover(app, discover_options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return app.exit(stop) == 0 ? 0 : misuse;
  }
  if (*discover) {
    discover_options.request.wait = *superd::parse_duration(discover_options.wait);
    return superd::discover(discover_options.request);
  }
  if (*trace) return run_trace(trace_options);
  if (*ping) return run_ping(*ping, ping_options);
  options.manner.patience = *superd::parse_duration(options.patience);
  options.manner.resumes = !options.begins_anew;
  options.manner.total = *superd::parse_duration(options.total);
  if (*get) return superd::get_file(options.url, options.output, options.manner);
  if (*put) return superd::put_file(options.input, options.url, options.manner);
  return superd::list_files(options.url, options.manner);
} catch (const std::exception& failure) {
  std::fprintf(stderr, "superctl: %s\n", failure.what());
  return try_again;
}
