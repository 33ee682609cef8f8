// Slides 20 to 29: the iterative, connectionless TIME server (RFC 868).
//
//   udp_time_iterative 10037        and then:  printf . | nc -u -w1 127.0.0.1 10037 | xxd
//
// The chapter's sends eight bytes where time_t is 64 bits wide; TIME is four. It ends at the first error of recvfrom;
// this one does not, and answers neither an echo service nor itself.

#include <arpa/inet.h>

#include <ctime>

#include "superd/super/program.h"

namespace {

class Time final : public superd::Service {
  superd::task<> serve(superd::Datagram& request) override {
    constexpr std::uint64_t from_1900_to_1970 = 2'208'988'800;
    const auto now =
        htonl(static_cast<std::uint32_t>(static_cast<std::uint64_t>(std::time(nullptr)) + from_1900_to_1970));
    request.reply(std::as_bytes(std::span(&now, 1)));
    co_return;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "time";
  return superd::serve_until_signalled({
      {.name = "time",
       .handler = std::make_shared<Time>(),
       .listen = {"udp/" + port},
       .design = {.design = "iterative"}}
  });
}
