// Slides 39 to 44: the concurrent, connection-oriented ECHO server (RFC 862), a thread for each connection.
//
//   tcp_echo_threads 10007          and then:  nc 127.0.0.1 10007
//
// A silent client costs a thread and nobody else's time. The chapter makes threads without a bound; here the level is one.

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
       .design = {.design = "threads"}}
  });
}
