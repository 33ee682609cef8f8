/// Short connections, one after the other: blocking accept4, send, close.

#include "floor.h"

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), 0);
  const std::string line = floors::daytime_line();
  floors::ready();
  floors::accept_and_send(door, line);
}
