#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// RFC 862: what is sent comes back, until the client closes its side; a datagram comes back as it is, be it empty.
class Echo final : public Service {
 public:
  task<> serve(Connection& client) override {
    while (auto chunk = co_await client.read())  // false: finished, reset, timed out or cut; client.end() tells which
      if (!co_await client.write(chunk)) break;
  }

  task<> serve(Datagram& request) override {
    request.reply(request.bytes());
    co_return;
  }
};

}  // namespace

std::shared_ptr<Service> make_echo() { return std::make_shared<Echo>(); }

}  // namespace superd
