/// Short connections, eight processes blocked in accept4 on one socket: accept4, send, close in each.

#include <sys/prctl.h>

#include <csignal>

#include "floor.h"

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), 0);
  const std::string line = floors::daytime_line();
  const pid_t parent = ::getpid();
  for (unsigned i = 1; i < floors::workers; ++i) {
    if (floors::check(::fork(), "fork") != 0) continue;
    // A worker goes when the first process does, also when that has gone already.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(0);
    floors::accept_and_send(door, line);
  }
  floors::ready();
  floors::accept_and_send(door, line);
}
