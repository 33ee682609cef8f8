#include "superd/serve/limits.h"

namespace superd {

std::vector<Network> Limits::loopback() {
  return {Network::parse("127.0.0.0/8").value(), Network::parse("::1/128").value()};
}

}  // namespace superd
