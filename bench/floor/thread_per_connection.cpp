/// Short connections, each in a detached thread of its own: accept4, pthread_create; send, close.

#include <pthread.h>

#include "floor.h"

namespace {

const std::string line = floors::daytime_line();

void* answer(void* argument) {
  const int client = static_cast<int>(reinterpret_cast<std::intptr_t>(argument));
  ::send(client, line.data(), line.size(), MSG_NOSIGNAL);
  ::close(client);
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), 0);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // So small that glibc keeps the stacks of threads that have ended: it gives those above 40 MiB in all back.
  ::pthread_attr_setstacksize(&attributes, floors::thread_stack);
  floors::ready();
  for (;;) {
    void* const client = reinterpret_cast<void*>(static_cast<std::intptr_t>(floors::accept(door)));
    pthread_t thread;
    errno = ::pthread_create(&thread, &attributes, answer, client);
    if (errno != 0) floors::fail("pthread_create");
  }
}
