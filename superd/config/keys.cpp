#include "superd/config/keys.h"

#include <algorithm>
#include <iterator>

#include "superd/config/bound_kinds.h"
#include "superd/config/kinds.h"
#include "superd/config/multicast_kinds.h"
#include "superd/config/program_kinds.h"
#include "superd/config/raw_kinds.h"

namespace superd {

namespace {

using namespace kinds;
using enum Place;

template <auto member, auto... inner>
auto& follow(auto& from) {
  if constexpr (sizeof...(inner) == 0)
    return from.*member;
  else
    return follow<inner...>(from.*member);
}

/// The member that a path of pointers leads to, from the table or from one of its services.
template <auto first, auto... inner>
auto& member_of(auto& table, auto& service) {
  if constexpr (std::is_invocable_v<decltype(first), decltype(table)>)
    return follow<first, inner...>(table);
  else
    return follow<first, inner...>(service);
}

template <class Kind, auto... path>
constexpr Key key(std::string_view name, Place place, Bounds bounds, std::string_view meaning) {
  return {name,
          place,
          bounds,
          meaning,
          Kind::wants,
          [](const Key& self, const Node& node, ServiceTable& table, ServiceSettings& service, Complaints& complaints) {
            Kind::read(Reading{self, node, complaints}, member_of<path...>(table, service));
          },
          [](const ServiceTable& table, const ServiceSettings& service) {
            return Kind::write(member_of<path...>(table, service));
          }};
}

constexpr Bounds none{};
constexpr std::int64_t second = 1000, year = 365LL * 86'400 * second;
constexpr std::int64_t mebi = 1 << 20;
// Beyond any machine; bytes that a control group takes for no limit begin later.
constexpr std::int64_t most_memory = std::int64_t{1} << 50;

/// A limit can be raised to this, not switched off.
constexpr Bounds limit(std::int64_t most) { return {.least = 1, .most = most, .is_limit = true}; }

// Longer than any machine runs, short enough that no sum of them overflows.
constexpr auto long_limit = limit(10 * year);
// net/core/sock.c doubles what it is asked for.
constexpr Bounds buffer{.least = 0, .most = 1023 * mebi};

constexpr std::string_view formats[] = {"text", "json"};
constexpr std::string_view severities[] = {"debug", "info", "warning", "error"};
constexpr std::string_view when_full[] = {"wait", "refuse"};

constexpr std::string_view include_errors[] = {"refuse", "skip"};
constexpr std::string_view when_absent[] = {"fail", "retry", "freebind"};
constexpr std::string_view over_rate[] = {"delay", "refuse"};
constexpr std::string_view refused[] = {"reset", "close", "tarpit"};

constexpr std::string_view errors[] = {"log", "client", "nowhere"};
constexpr std::string_view passes[] = {"stdin", "listen_fds"};

constexpr std::string_view conversations[] = {"none", "failures", "all"};

constexpr std::string_view table_kinds[] = {"off", "chapter", "safe"};

constexpr auto told = &ServiceSettings::settings;
constexpr auto files = &HandlerSettings::files;
constexpr auto program_of = &ServiceSettings::program;
constexpr auto launch = &Program::launch;
constexpr auto confinement = &Launch::confinement;
constexpr auto share = &Launch::share;
constexpr auto design = &ServiceSettings::design;
constexpr auto limits = &ServiceSettings::limits;
constexpr auto log_of = &ServiceSettings::log;
constexpr auto options = &ServiceSettings::options;
constexpr auto raw = &ListenOptions::raw;
constexpr auto multicast = &ListenOptions::multicast;
constexpr auto beacon = &HandlerSettings::beacon;

// In the order in which they are printed.
constexpr Key table[] = {
    key<Whole, &ServiceTable::port_base>("port_base", program, {0, 65'535}, "added to every port but 0"),
    key<Duration, &ServiceTable::drain>("drain", program, long_limit,
                                        "how long conversations may go on after SIGTERM before they are cut"),
    key<Identity, &ServiceTable::host_user>("host_user", program, none, "whose rights handlers have"),
    key<Duration, &ServiceTable::heartbeat>("heartbeat", program, {100, year, true},
                                            "silence of a process that serves after which it is replaced"),
    key<Path, &ServiceTable::pid_file>("pid_file", program, none, "the number of the process that gets the signals"),
    key<Choice<formats>, &ServiceTable::log_format>("log", program, none,
                                                    "how lines are written to stderr, files and syslog"),
    key<Whole, &ServiceTable::overall_level>("overall_level", program, limit(ServiceTable::no_overall_level),
                                             "conversations at once of all services together"),
    key<Choice<severities>, &ServiceTable::log_level>("log_level", program, none, "the least that is logged"),
    key<LogTargets, &ServiceTable::log_to>("log_to", program, none, "where log lines go, to one or to several"),
    key<Choice<log_facilities>, &ServiceTable::log_facility>("log_facility", program, none,
                                                             "what syslogd and the journal sort lines by"),

    key<Includes, &ServiceTable::include>("include", program, none, "files and directories that are read too"),
    key<Choice<include_errors>, &ServiceTable::include_errors>(
        "include_errors", program, none, "what a wrong file of an included directory does to the rest"),

    key<Addresses, &ServiceSettings::listen>("listen", service, none, "where clients are taken in"),
    key<Row<services>, &ServiceSettings::handler>("handler", service, none, "what is done for a client"),
    key<Command, program_of, &Program::launch, &Launch::words>(
        "program", service, none, "what is run for a client instead of a handler, with its arguments"),
    key<Flag, program_of, &Program::waits>("wait", service, none,
                                           "the program takes clients in by itself, one of it at a time"),
    key<Choice<passes>, program_of, &Program::pass>("pass", service, none,
                                                    "how a program that waits is given its listeners"),
    key<Choice<errors>, program_of, &Program::errors>("stderr", anywhere, none,
                                                      "where a program's standard error output goes"),
    key<Identity, program_of, &Program::launch, &Launch::identity>("user", anywhere, none,
                                                                   "whose rights a program has"),
    key<Path, program_of, &Program::launch, &Launch::root>("root", anywhere, none,
                                                           "the directory that a program takes for /"),
    key<Path, program_of, &Program::launch, &Launch::directory>("directory", anywhere, none,
                                                                "a program's working directory"),
    key<Environment, program_of, &Program::launch, &Launch::environment>("environment", anywhere, none,
                                                                         "all that a program has of it"),
    key<Mode, program_of, &Program::launch, &Launch::mask>("umask", anywhere, none,
                                                           "rights that files of a program do not get"),
    key<Whole, program_of, &Program::launch, &Launch::nice>("nice", anywhere, {-20, 19},
                                                            "added to a program's priority; above 0: lower"),
    key<ResourceBounds, program_of, &Program::launch, &Launch::bounds>("rlimits", anywhere, none,
                                                                       "bounds on a program's resources"),
    key<Flag, program_of, &Program::launch, &Launch::no_new_privileges>(
        "no_new_privileges", anywhere, none, "a program gains no rights by set-user-id files"),
    key<Groups, program_of, launch, confinement, &Confinement::groups>(
        "user_groups", anywhere, none, "a program's supplementary groups, instead of its user's"),
    key<Capabilities, program_of, launch, confinement, &Confinement::capabilities>(
        "capabilities", anywhere, none, "all capabilities that a program has or ever gains"),
    key<Filters, program_of, launch, confinement, &Confinement::filters>("seccomp", anywhere, none,
                                                                         "which system calls fail in a program"),
    key<Paths, program_of, launch, confinement, &Confinement::read_paths>("read_paths", anywhere, none,
                                                                          "below which a program may read"),
    key<Paths, program_of, launch, confinement, &Confinement::write_paths>("write_paths", anywhere, none,
                                                                           "below which a program may read and write"),
    key<Paths, program_of, launch, confinement, &Confinement::execute_paths>(
        "execute_paths", anywhere, none, "below which a program may read and execute"),
    key<OrNothing<Size>, program_of, launch, share, &Share::memory>(
        "memory", anywhere, limit(most_memory), "of all programs of a service together, by a control group"),
    key<OrNothing<Whole>, program_of, launch, share, &Share::processes>(
        "processes", anywhere, limit(4'000'000), "of all programs of a service together, by a control group"),
    key<Percent, program_of, launch, share, &Share::cpu>("cpu", anywhere, limit(100'000),
                                                         "of one processor, for all programs of a service together"),
    key<Flag, program_of, launch, confinement, &Confinement::best_effort>(
        "best_effort", anywhere, none, "paths and shares that this kernel cannot hold a program to are left out"),

    key<Path, told, files, &FileSettings::tree>("files", anywhere, none, "the directory that is served"),
    key<Flag, told, files, &FileSettings::public_only>("public_only", anywhere, none,
                                                       "only files that everybody on this machine may read"),
    key<Flag, told, files, &FileSettings::client_directories>(
        "client_directories", anywhere, none,
        "files are first looked for in a directory called as the client's address"),
    key<Rules, told, files, &FileSettings::remap>("remap", anywhere, none,
                                                  "changes to the names that clients of tftp ask for"),
    key<Path, told, files, &FileSettings::uploads>("uploads", anywhere, none,
                                                   "the directory that clients may write to"),
    key<Flag, told, files, &FileSettings::overwrite>("overwrite", anywhere, none,
                                                     "uploads may replace files that are there"),
    key<Size, told, files, &FileSettings::upload_size>("upload_size", anywhere, limit(1LL << 40), "the longest upload"),
    key<Choice<table_kinds>, told, files, &FileSettings::table>("table", anywhere, none,
                                                                "how open files are remembered"),
    key<Whole, told, files, &FileSettings::table_files>("table_files", anywhere, limit(10'000),
                                                        "files that are kept open"),
    key<Duration, told, files, &FileSettings::table_idle>("table_idle", anywhere, long_limit,
                                                          "after which a file that nobody uses is closed"),
    key<Whole, told, files, &FileSettings::table_clients>("table_clients", anywhere, limit(1'000'000),
                                                          "clients that are remembered"),
    key<Whole, told, files, &FileSettings::table_per_prefix>("table_per_prefix", anywhere, limit(1'000'000),
                                                             "clients of one /24 or /56 that are remembered"),
    key<Whole, told, files, &FileSettings::block_size>("block_size", anywhere, {8, 65'464},
                                                       "bytes of a file in a datagram of tftp or fsp, at most"),
    key<Whole, told, files, &FileSettings::window_size>("window_size", anywhere, {1, 65'535},
                                                        "datagrams of tftp before an acknowledgement, at most"),

    key<AnsweredNetworks, told, &HandlerSettings::addresses>("addresses", service, none,
                                                             "for which pings are answered; empty: all"),

    key<Row<designs>, design, &DesignSettings::design>("design", anywhere, none,
                                                       "which thread serves a client, and when"),
    key<Row<engines>, design, &DesignSettings::engine>("engine", anywhere, none, "how the loops of a design wait"),
    key<Whole, design, &DesignSettings::loops>("loops", anywhere, {0, 1024},
                                               "of event and adaptive; 0: one, or for adaptive one a processor"),
    key<Whole, design, &DesignSettings::workers>("workers", anywhere, {1, 10'000},
                                                 "threads or processes of a preallocated design at each listener"),
    key<Whole, design, &DesignSettings::threads>("threads", anywhere, limit(10'000),
                                                 "the most threads of a delayed or adaptive design"),
    key<DurationOrAuto, design, &DesignSettings::deadline>(
        "deadline", anywhere, limit(60 * second), "after which the others of a late conversation change hands"),
    key<Size, design, &DesignSettings::queue>("queue", anywhere, limit(1024 * mebi),
                                              "datagrams that wait at a listener for an adaptive design"),
    key<Label, &ServiceSettings::group>("group", anywhere, none,
                                        "services of one group share the threads of one design"),

    key<Flag, &ServiceSettings::isolate>("isolate", anywhere, none, "a process of its own, whose end is nobody else's"),

    key<Whole, limits, &Limits::level>("level", anywhere, limit(1'000'000), "conversations at once"),
    key<Whole, limits, &Limits::per_client>("per_client", anywhere, limit(1'000'000),
                                            "conversations at once of one client"),
    key<Choice<when_full>, limits, &Limits::when_full>("when_full", anywhere, none,
                                                       "at the level, clients wait in the backlog or are reset"),
    key<Duration, limits, &Limits::idle>("idle", anywhere, long_limit,
                                         "how long a client may be silent or take nothing"),
    key<Duration, limits, &Limits::total>("total", anywhere, long_limit,
                                          "how long a conversation may last, however busy"),
    key<Duration, limits, &Limits::linger>("linger", anywhere, long_limit,
                                           "how long the client's last bytes are awaited after ours"),
    key<Size, limits, &Limits::min_rate>("min_rate", anywhere, limit(1024 * mebi),
                                         "bytes a second that a client must at least send or take"),
    key<Whole, limits, &Limits::answer_rate>("answer_rate", anywhere, limit(1'000'000),
                                             "answers a second to the datagrams of one /24 or /56"),
    key<Whole, limits, &Limits::amplification>("amplification", anywhere, limit(65'535),
                                               "times that a datagram's answer may be longer than it, plus 64 bytes"),
    key<Networks, limits, &Limits::trusted>("trusted", anywhere, none,
                                            "where answer_rate and amplification do not hold"),

    key<Choice<conversations>, log_of, &ConversationLogSettings::which>("log_conversations", anywhere, none,
                                                                        "which conversations get a line of the log"),
    key<Whole, log_of, &ConversationLogSettings::rate>("log_rate", anywhere, limit(1'000'000),
                                                       "the most lines a second about conversations, or of programs"),
    key<Access, limits, &Limits::allow>("allow", anywhere, none, "who may come, and nobody else; empty: everybody"),
    key<Access, limits, &Limits::deny>("deny", anywhere, none, "who may not come"),
    key<HoursOfDays, limits, &Limits::hours>("hours", anywhere, none, "when clients may come; empty: always"),
    key<Frequency, limits, &Limits::client_rate>("client_rate", anywhere, none, "new connections of one client"),
    key<Frequency, limits, &Limits::prefix_rate>("prefix_rate", anywhere, none, "new connections of one /24 or /56"),
    key<Choice<over_rate>, limits, &Limits::over_rate>("over_rate", anywhere, none,
                                                       "a connection over its rate waits for it or is refused"),
    key<Whole, limits, &Limits::per_prefix>("per_prefix", anywhere, limit(1'000'000),
                                            "conversations at once of one /24 or /56"),
    key<Load, limits, &Limits::max_load>("max_load", anywhere, none,
                                         "the machine's load from which on nobody new is let in"),
    key<Choice<refused>, limits, &Limits::refused>("refused", anywhere, none,
                                                   "the connection of who is refused is reset, closed or held"),
    key<Duration, limits, &Limits::tarpit_time>("tarpit_time", anywhere, limit(24 * 3600 * second),
                                                "how long the tarpit holds a connection"),
    key<Greeting, limits, &Limits::banner>("banner", anywhere, none, "what clients are sent first that are let in"),
    key<Greeting, limits, &Limits::banner_refused>("banner_refused", anywhere, none,
                                                   "what clients are sent that are not"),

    key<Whole, options, &ListenOptions::backlog>("backlog", anywhere, {1, 1'000'000},
                                                 "clients that wait in the kernel; it cuts this to net.core.somaxconn"),
    key<Size, options, &ListenOptions::receive_buffer>("receive_buffer", anywhere, buffer,
                                                       "of a socket; 0: the kernel's for streams, 8MiB for datagrams"),
    key<Size, options, &ListenOptions::send_buffer>("send_buffer", anywhere, buffer, "of a socket; 0: the kernel's"),
    key<Duration, options, &ListenOptions::keepalive>(
        "keepalive", anywhere, {second, 32'767 * second},
        "silence after which a connection is probed for a vanished client"),
    key<Choice<when_absent>, options, &ListenOptions::when_absent>(
        "when_absent", anywhere, none, "what to do about an address that no interface has yet"),
    key<Mode, options, &ListenOptions::mode>("mode", anywhere, none, "of a unix socket's file"),
    key<Id<user>, options, &ListenOptions::owner>("owner", anywhere, none, "of a unix socket's file"),
    key<Id<user_group>, options, &ListenOptions::group>("owner_group", anywhere, none, "of a unix socket's file"),

    key<IcmpTypes, options, raw, &RawOptions::icmp_types>("icmp_types", service, none,
                                                          "of ICMP, what a raw listener receives; empty: all"),
    key<PacketFilter, options, raw, &RawOptions::filter>("filter", service, none,
                                                         "a program that says which packets a raw listener receives"),
    key<Address, options, raw, &RawOptions::peer>("peer", service, none,
                                                  "the only address whose packets a raw listener receives"),
    key<Flag, options, raw, &RawOptions::own_header>(
        "own_header", service, none, "packets that a raw listener sends have a header that is written here"),

    key<Memberships, options, multicast, &GroupOptions::groups>(
        "groups", service, none, "groups whose datagrams a udp listener receives, and announcements are sent to"),
    key<Whole, options, multicast, &GroupOptions::ttl>("multicast_ttl", service, limit(255),
                                                       "links that what is sent to a group may pass"),
    key<Flag, options, multicast, &GroupOptions::loop>(
        "multicast_loop", service, none, "what is sent to a group comes to its members on this machine, too"),
    key<Interface, options, multicast, &GroupOptions::interface>(
        "multicast_interface", service, none, "by which is sent to groups; empty: as the routes say"),
    key<Flag, options, multicast, &GroupOptions::broadcast>("broadcast", service, none,
                                                            "it may send to broadcast addresses"),

    key<Announced, told, beacon, &BeaconSettings::announces>(
        "announces", service, none, "what a beacon tells of; empty: all services of this file that others can reach"),
    key<Duration, told, beacon, &BeaconSettings::every>("announce_every", service, {second, 24 * 3600 * second},
                                                        "how often a beacon tells its groups of it"),
};

}  // namespace

std::span<const Key> keys() noexcept { return table; }

const Key* find_key(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &Key::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace superd
