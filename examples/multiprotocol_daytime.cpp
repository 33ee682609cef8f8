// Slides 56 to 63: DAYTIME over TCP and UDP (RFC 867) from one thread.
//
//   multiprotocol_daytime 10013   and then:  nc 127.0.0.1 10013;  echo | nc -u -w1 127.0.0.1 10013
//
// One thread waits for both sockets and serves one client at a time.

#include <ctime>

#include "superd/super/program.h"

namespace {

std::string daytime() {
  const std::time_t now = std::time(nullptr);
  char line[32];
  return ctime_r(&now, line);
}

class Daytime final : public superd::Service {
  superd::task<> serve(superd::Connection& client) override {
    const std::string line = daytime();
    co_await client.write(line);
  }

  superd::task<> serve(superd::Datagram& request) override {
    request.reply(daytime());
    co_return;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "daytime";
  return superd::serve_until_signalled({
      {.name = "daytime",
       .handler = std::make_shared<Daytime>(),
       .listen = {"tcp/" + port, "udp/" + port},
       .design = {.design = "iterative"}}
  });
}
