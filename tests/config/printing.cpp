#include <sys/resource.h>

#include <algorithm>

#include "superd/config/keys.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

namespace {

ServiceTable with_every_field_changed() {
  ServiceTable table{
      .services = {},
      .port_base = 1,
      .drain = 1'500ms,
      .host_user = Launch::Identity{.name = "root", .user = 0, .group = 0, .groups = {0}},
      .heartbeat = 7s,
      .pid_file = "/run/superd.pid",
      .overall_level = 2,
      .include = {},
      .include_errors = IncludeErrors::skip,
      .log_format = LogFormat::json,
      .log_level = Severity::error,
      .log_to = {LogTarget::parse("syslog:/run/log").value(), LogTarget::parse("file:/a \"b\\\n").value()},
      .log_facility = LogFacility::local7
  };
  table.services.push_back({
      .name = "zeta",
      .handler = "time",
      .listen = {address("tcp/[::1]:7"), address("udp/*%eth0:7"), address("unix:/run/a \"b\\\n\x7f")},
      .settings = {.files = {.tree = "/srv/tftp",
                             .public_only = false,
                             .uploads = "/srv/up",
                             .overwrite = true,
                             .upload_size = 21,
                             .table = TableKind::chapter,
                             .table_files = 22,
                             .table_idle = 23s,
                             .table_clients = 24,
                             .table_per_prefix = 25,
                             .remap = {"rg \\\\ /"},
                             .client_directories = true,
                             .block_size = 26,
                             .window_size = 27}},
      .design = {.design = "prethreaded",
                 .engine = "poll",
                 .loops = 3,
                 .workers = 4,
                 .threads = 5,
                 .deadline = 6ms,
                 .queue = 7},
      .limits = {.level = 5,
                 .per_client = 6,
                 .per_prefix = 21,
                 .when_full = WhenFull::refuse,
                 .client_rate = {22, 60s, 23},
                 .prefix_rate = {24, 1h, 24},
                 .over_rate = OverRate::refuse,
                 .max_load = 2.25,
                 .allow = {AccessRule::parse("10.0.0.0/8").value(), AccessRule::parse("@/etc/a \"b\\").value()},
                 .deny = {AccessRule::parse("::1").value()},
                 .hours = {Hours::parse("Mon-Fri 22:00-06:00").value()},
                 .refused = Refused::tarpit,
                 .tarpit_time = 25ms,
                 .banner = "hello\r\n\x7f\"",
                 .banner_refused = "@/etc/words",
                 .idle = 7s,
                 .total = 8h,
                 .linger = 9ms,
                 .min_rate = 10,
                 .answer_rate = 11,
                 .amplification = 12,
                 .trusted = {}},
      .options = {.port_base = 0,
                 .backlog = 13,
                 .receive_buffer = 14 << 10,
                 .send_buffer = 15,
                 .keepalive = 16s,
                 .when_absent = WhenAbsent::retry,
                 .mode = 017,
                 .owner = 18,
                 .group = 19},
      .log = {.which = LoggedConversations::all, .rate = 21},
      .group = "twenty",
      .isolate = true
  });
  auto other = table.services[0];
  other.name = "alpha.1";
  other.listen = {address("tcp/0.0.0.0:8")};
  other.limits.trusted = {Network::parse("10.0.0.0/8").value(), Network::parse("2001:db8::/32").value()};
  auto run = other;
  run.name = "run";
  run.limits = {};
  run.handler.clear();
  run.listen = {address("tcp/0.0.0.0:9")};
  run.design.design = "processes";
  run.group = "its-own";
  run.program = {
      .launch = {.words = {"/bin/a \"b\\\n", ""},
                 .environment = {"A=b c"},
                 .identity = Launch::Identity{"root:7", 0, 7, {7}},
                 .root = "/srv",
                 .directory = "/tmp",
                 .mask = 077,
                 .nice = -1,
                 .bounds = {{RLIMIT_AS, 8}, {RLIMIT_NOFILE, RLIM_INFINITY}},
                 .no_new_privileges = true,
                 .confinement = {.groups = {{{"root", 0}}},
                                 .capabilities = {{10}},
                                 .filters = {Confinement::Filter::no_network},
                                 .read_paths = {"/a"},
                                 .write_paths = {"/b"},
                                 .execute_paths = {"/c d"},
                                 .best_effort = true},
                 .share = {.memory = 21, .processes = 22, .cpu = 23}},
      .waits = true,
      .pass = Program::Pass::listen_fds,
      .errors = Program::Errors::nowhere
  };
  auto packets = other;
  packets.name = "packets";
  packets.handler = "icmp-echo";
  packets.listen = {address("raw/icmp")};
  packets.group = "raw";
  packets.settings.addresses = {Network::parse("10.0.0.0/8").value()};
  packets.options.raw = {
      .icmp_types = {"echo-request", "13"},
      .filter = {{.code = 6, .jt = 0, .jf = 0, .k = 65535}},
      .peer = Endpoint::parse("10.0.0.1", 0).value(),
      .own_header = true
  };
  auto beacon = other;
  beacon.name = beacon.handler = "beacon";
  beacon.listen = {address("udp/0.0.0.0:10")};
  beacon.group = "beacons";
  beacon.settings.beacon = {.announces = {"echo tcp/7"}, .every = 31s};
  beacon.options.multicast = {.groups = {Membership::parse("10.0.0.1@232.1.2.3%eth0").value()},
                              .ttl = 2,
                              .loop = false,
                              .interface = "eth1",
                              .broadcast = true};
  table.services.push_back(std::move(beacon));
  table.services.push_back(std::move(packets));
  table.services.push_back(std::move(other));
  table.services.push_back(std::move(run));
  return table;
}

}  // namespace

TEST(AConfiguration, IsPrintedSoThatItReadsBackEqual) {
  for (const auto& table : {parsed(default_config()), with_every_field_changed()})
    EXPECT_EQ(parsed(print_config(table)), table) << print_config(table);
}

TEST(AConfiguration, OfThisTestHasEveryKeyChanged) {
  const auto table = with_every_field_changed();
  for (const auto& key : keys()) {
    const auto unchanged = key.write(ServiceTable{}, ServiceSettings{});
    const auto is_changed = [&](const auto& service) { return key.write(table, service) != unchanged; };
    // What is included is printed in its place.
    EXPECT_EQ(std::ranges::any_of(table.services, is_changed), key.name != "include") << key.name;
  }
}

TEST(AConfiguration, IsPrintedWithEveryKeyAndItsMeaning) {
  const auto text = print_config(parsed(echo_with("")));
  for (const auto& key : keys()) {
    const auto name = text.find("\n" + std::string(key.name) + " = ");
    const auto unset = text.find("\n# " + std::string(key.name) + " is not set");
    const auto begin = std::min(name, unset);
    ASSERT_NE(begin, text.npos) << key.name;
    const auto line = text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
    EXPECT_TRUE(line.ends_with("  # " + std::string(key.meaning))) << line;
  }
}
