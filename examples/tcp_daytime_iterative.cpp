// Slides 30 to 37: the iterative, connection-oriented DAYTIME server (RFC 867).
//
//   tcp_daytime_iterative 10013     and then:  nc 127.0.0.1 10013
//
// One client at a time; the others queue in the backlog. A client cannot decide how long that lasts (slide 37): the
// limits of every service are in force here too.

#include <ctime>

#include "superd/super/program.h"

namespace {

class Daytime final : public superd::Service {
  superd::task<> serve(superd::Connection& client) override {
    const std::time_t now = std::time(nullptr);
    char line[32];
    ctime_r(&now, line);
    const std::string_view text = line;
    co_await client.write(text);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "daytime";
  return superd::serve_until_signalled({
      {.name = "daytime",
       .handler = std::make_shared<Daytime>(),
       .listen = {"tcp/" + port},
       .design = {.design = "iterative"}}
  });
}
