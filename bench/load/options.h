#pragma once
/// What may be asked of a load, and the parsing of it.

#include <netinet/in.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

using Clock = std::chrono::steady_clock;
using Nanos = std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

/// Every load is bounded by `seconds` and by `count`, whatever the server does.
struct Options {
  std::string_view mode;
  in_port_t port = 0;
  /// Of the measured part; the warm-up comes before it.
  Seconds seconds{2};
  Seconds warmup{0.2};
  /// Operations after which the load ends early; in udp-burst the datagrams, in idle the connections, in behind the
  /// trials.
  std::uint64_t count = 1'000'000'000;
  /// Connections of tcp-echo, tcp-short and tcp-mix, outstanding datagrams of udp.
  unsigned parallel = 16;
  /// Connections that tcp-open begins in a second.
  unsigned per_second = 300;
  /// Bytes of a request; in tcp-short the least bytes of an answer; in idle those of the last connection's probe.
  std::size_t size = 64;
  /// How many addresses of 127.0.0.0/8 the connections come from: one address has some 28,000 ports, and a port stays
  /// in TIME-WAIT for a minute.
  unsigned sources = 200;
  /// The process (with all below it) whose CPU time is read at both ends of the measured part; 0: none.
  pid_t server = 0;
  /// How many of a hundred requests of tcp-mix are slow ones.
  double share = 0;
  /// The line of a slow request in tcp-mix and behind, without its end; in udp-burst that of every datagram.
  std::string_view slow;
  /// The name that tftp and fsp ask for, and how many blocks it wants before it acknowledges one.
  std::string_view file;
  unsigned window = 1;
};

constexpr std::string_view usage =
    "usage: load MODE --port N [options]      results come as one JSON object on stdout\n"
    "  tcp-echo    --parallel connections exchange messages of --size bytes\n"
    "  tcp-short   connect, read to the end, close; --parallel at a time\n"
    "  tcp-open    the same, --per-second connections whatever becomes of those before\n"
    "  udp         --parallel requests of --size bytes outstanding on one socket\n"
    "  udp-burst   --count datagrams of 16 bytes at once, then the echoes are counted until it is quiet\n"
    "  udp-burst   with --slow LINE: that line --count times instead, then the answers are counted\n"
    "  tcp-mix     connect, send a line, read a line, close; --parallel at a time. --share of a hundred send the line\n"
    "              --slow LINE, the others `compute 0ms`\n"
    "  behind      --count times: one connection sends --slow LINE; how long does a fast one wait that comes in a\n"
    "              connection 1 to 20 ms later?\n"
    "  idle        --count idle connections; prints `open`, closes them at a line on stdin or after --seconds\n"
    "  fsp         --parallel clients fetch --file again and again, in blocks of --size bytes; an operation is a "
    "block,\n"
    "              in fsp-files a whole file\n"
    "  tftp        --parallel clients fetch --file again and again, in blocks of --size bytes and windows of --window\n"
    "  tftp-files  the same, counted and timed by the file\n"
    "  tftp-hold   --count transfers of --file that go on slowly; prints `open`, ends them as idle does\n"
    "options: --seconds S --warmup S --count N --parallel N --per-second N --size BYTES --sources N --server PID\n"
    "         --share PERCENT --slow LINE --file NAME --window N\n";

[[noreturn]] inline void misuse(std::string_view what, std::string_view word) {
  std::fprintf(stderr, "load: %.*s: %.*s\n%.*s", static_cast<int>(word.size()), word.data(),
               static_cast<int>(what.size()), what.data(), static_cast<int>(usage.size()), usage.data());
  std::exit(100);
}

/// An option that wants a number.
struct Setting {
  std::string_view name;
  double least;
  double most;
  void (*set)(Options&, double);
};

constexpr Setting settings[] = {
    {"--port",       1,    65535,    [](Options& o, double value) { o.port = static_cast<in_port_t>(value); }     },
    {"--seconds",    0.01, 3600,     [](Options& o, double value) { o.seconds = Seconds(value); }                 },
    {"--warmup",     0,    60,       [](Options& o, double value) { o.warmup = Seconds(value); }                  },
    {"--count",      1,    1e12,     [](Options& o, double value) { o.count = static_cast<std::uint64_t>(value); }},
    {"--parallel",   1,    100'000,  [](Options& o, double value) { o.parallel = static_cast<unsigned>(value); }  },
    {"--per-second", 1,    100'000,  [](Options& o, double value) { o.per_second = static_cast<unsigned>(value); }},
    {"--size",       0,    16 << 20, [](Options& o, double value) { o.size = static_cast<std::size_t>(value); }   },
    {"--sources",    1,    60'000,   [](Options& o, double value) { o.sources = static_cast<unsigned>(value); }   },
    {"--server",     1,    1 << 30,  [](Options& o, double value) { o.server = static_cast<pid_t>(value); }       },
    {"--share",      0,    100,      [](Options& o, double value) { o.share = value; }                            },
    {"--window",     1,    65535,    [](Options& o, double value) { o.window = static_cast<unsigned>(value); }    },
};

inline const Setting& setting(std::string_view name) {
  for (const Setting& one : settings)
    if (one.name == name) return one;
  misuse("unknown option", name);
}

/// What the command line asks for, or the end of the program with exit code 100.
inline Options parse(int argc, char** argv) {
  if (argc < 2) misuse("missing", "mode");
  Options options;
  options.mode = argv[1];
  for (int i = 2; i < argc; i += 2) {
    if (i + 1 == argc) misuse("a value is missing", argv[i]);
    if (std::string_view(argv[i]) == "--slow" || std::string_view(argv[i]) == "--file") {
      (argv[i][2] == 's' ? options.slow : options.file) = argv[i + 1];
      continue;
    }
    const Setting& wanted = setting(argv[i]);
    char* end = nullptr;
    const double value = std::strtod(argv[i + 1], &end);
    const bool in_range = value >= wanted.least && value <= wanted.most;
    if (end == argv[i + 1] || *end != '\0' || !in_range) misuse("no such number", wanted.name);
    wanted.set(options, value);
  }
  if (options.port == 0) misuse("missing", "--port");
  return options;
}

}  // namespace bench
