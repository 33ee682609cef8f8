#include "superd/serve/limits.h"

#include <algorithm>

namespace superd {

std::vector<Network> Limits::loopback() {
  return {Network::parse("127.0.0.0/8").value(), Network::parse("::1/128").value()};
}

bool Limits::trusts(const Endpoint& from) const noexcept {
  if (from.is_unix()) {
    static const Endpoint local = Endpoint::parse("127.0.0.1", 0).value();
    return trusts(local);
  }
  return std::ranges::any_of(trusted, [&](const Network& network) { return network.holds(from); });
}

}  // namespace superd
