/// Short connections, eight threads blocked in accept4 on one socket: accept4, send, close in each.

#include <thread>

#include "floor.h"

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), 0);
  const std::string line = floors::daytime_line();
  for (unsigned i = 1; i < floors::workers; ++i) std::thread([&] { floors::accept_and_send(door, line); }).detach();
  floors::ready();
  floors::accept_and_send(door, line);
}
