#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// RFC 863: whatever comes is thrown away, nothing is answered.
class Discard final : public Service {
 public:
  task<> serve(Connection& client) override {
    while (const auto thrown_away = co_await client.read()) static_cast<void>(thrown_away);
  }

  task<> serve(Datagram&) override { co_return; }
};

}  // namespace

std::shared_ptr<Service> make_discard() { return std::make_shared<Discard>(); }

}  // namespace superd
