#include <array>
#include <bit>
#include <cstdint>
#include <ctime>
#include <span>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

// Seconds since 1900-01-01 00:00 UTC, modulo 2^32: it begins again at 0 on 2036-02-07 06:28:16 UTC.
std::array<std::byte, 4> seconds_since_1900() noexcept {
  constexpr std::uint64_t from_1900_to_1970 = 2'208'988'800;
  const auto seconds = static_cast<std::uint32_t>(static_cast<std::uint64_t>(std::time(nullptr)) + from_1900_to_1970);
  static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);
  const auto in_network_order = std::endian::native == std::endian::little ? __builtin_bswap32(seconds) : seconds;
  return std::bit_cast<std::array<std::byte, 4>>(in_network_order);
}

/// RFC 868: the time as four bytes, most significant first, to whoever connects or sends a datagram.
class TimeOfDay final : public Service {
 public:
  task<> serve(Connection& client) override {
    const auto number = seconds_since_1900();
    const std::span<const std::byte> bytes(number);
    co_await client.write(bytes);
  }

  task<> serve(Datagram& request) override {
    request.reply(seconds_since_1900());
    co_return;
  }
};

}  // namespace

std::shared_ptr<Service> make_time() { return std::make_shared<TimeOfDay>(); }

}  // namespace superd
