// Slides 65 to 81: the super server: echo, chargen, daytime and time over TCP and UDP, and all of it in one thread, which
// is the open question of slide 68.
//
//   super_server 10000              and then:  nc 127.0.0.1 10013
//
// The argument is the chapter's port base. The thread of slide 76, one for each connection, is the word "threads".

#include <cstdlib>

#include "superd/services/services.h"
#include "superd/super/program.h"

int main(int argc, char** argv) {
  const int port_base = argc > 1 ? std::atoi(argv[1]) : 0;
  if (port_base < 0 || port_base > 60000) return 100;

  std::vector<superd::ProgramService> table;
  for (const std::string name : {"echo", "chargen", "daytime", "time"})
    table.push_back({
        .name = name,
        .handler = superd::find_service(name)->make({}).value(),
        .listen = {"tcp/" + name,     "udp/" + name     },
        .design = {.design = "event", .engine = "select"}
    });
  return superd::serve_until_signalled(table, static_cast<std::uint16_t>(port_base));
}
