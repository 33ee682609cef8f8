/// The load generator: one thread, non-blocking, a closed loop; its result is one JSON object on stdout.
///
/// It knows nothing of who serves: floors and superd meet the same load. Exit codes: 0 for a load that ran (the object
/// tells the errors), 100 for misuse, 111 when it could not run.

#include <memory>

#include "bench/load/behind.h"
#include "bench/load/fsp.h"
#include "bench/load/idle.h"
#include "bench/load/measurement.h"
#include "bench/load/options.h"
#include "bench/load/tcp_echo.h"
#include "bench/load/tcp_mix.h"
#include "bench/load/tcp_open.h"
#include "bench/load/tcp_short.h"
#include "bench/load/tftp.h"
#include "bench/load/tftp_hold.h"
#include "bench/load/udp.h"
#include "bench/load/udp_burst.h"

namespace {

template <typename Load>
void measured(const bench::Options& options) {
  bench::Measurement measurement(options);
  // On the heap: the loads carry their buffers in themselves.
  const auto load = std::make_unique<Load>(options, measurement);
  load->run();
  measurement.print();
  if constexpr (requires { load->print(); }) load->print();
  std::puts("}");
}

template <typename Load>
void plain(const bench::Options& options) {
  std::make_unique<Load>(options)->run();
}

struct Mode {
  std::string_view name;
  void (*run)(const bench::Options&);
};

constexpr Mode modes[] = {
    {"fsp",        measured<bench::Fsp>        },
    {"fsp-files",  measured<bench::Fsp>        },
    {"tcp-echo",   measured<bench::TcpEcho>    },
    {"tcp-short",  measured<bench::TcpShort>   },
    {"tcp-mix",    measured<bench::TcpMix>     },
    {"tcp-open",   measured<bench::TcpOpen>    },
    {"tftp",       measured<bench::Tftp>       },
    {"tftp-files", measured<bench::Tftp>       },
    {"tftp-hold",  plain<bench::TftpHold>      },
    {"udp",        measured<bench::UdpRequests>},
    {"udp-burst",  plain<bench::UdpBurst>      },
    {"behind",     plain<bench::Behind>        },
    {"idle",       plain<bench::Idle>          },
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse(argc, argv);
  for (const Mode& mode : modes) {
    if (mode.name != options.mode) continue;
    // The last bound, should every other one fail: the default action of SIGALRM.
    ::alarm(static_cast<unsigned>((options.warmup + options.seconds).count()) + 60);
    mode.run(options);
    return 0;
  }
  bench::misuse("unknown mode", options.mode);
}
