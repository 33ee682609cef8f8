// Slides 46 to 54: the ECHO server with one thread (RFC 862), concurrent by select.
//
//   tcp_echo_select 10007          and then:  nc 127.0.0.1 10007
//
// The handler is that of tcp_echo_threads.cpp, to the letter: what differs is one word in main().

#include "superd/super/program.h"

namespace {

class Echo final : public superd::Service {
  superd::task<> serve(superd::Connection& client) override {
    while (auto chunk = co_await client.read())
      if (!co_await client.write(chunk)) break;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "echo";
  return superd::serve_until_signalled({
      {.name = "echo",
       .handler = std::make_shared<Echo>(),
       .listen = {"tcp/" + port},
       .design = {.design = "event", .engine = "select"}}
  });
}
