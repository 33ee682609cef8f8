#include <unistd.h>

#include <array>

#include "superd/serve/datagram.h"
#include "superd/services/beacon/beacon_text.h"
#include "superd/services/services.h"

namespace superd {

namespace {

std::string name_of_host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "unknown";
  return name.data();
}

/// Tells who asks, and the groups of its listeners now and then, which services there are here (docs/beacon.md).
class Beacon final : public Service {
 public:
  explicit Beacon(const BeaconSettings& settings) : settings_(settings) {}

  task<> serve(Datagram& request) override {
    const auto bytes = request.bytes();
    if (is_beacon_query({reinterpret_cast<const char*>(bytes.data()), bytes.size()}))
      request.reply(text(std::min(request.room(), longest_beacon)));
    co_return;
  }

  [[nodiscard]] Announcement announcement() const override {
    return {.text = text(longest_beacon),
            .farewell = beacon_text(host_, Seconds(0), {}),
            .every = std::chrono::duration_cast<Millis>(settings_.every)};
  }

 private:
  [[nodiscard]] std::string text(std::size_t most) const {
    return beacon_text(host_, std::chrono::ceil<Seconds>(settings_.every), settings_.announces, most);
  }

  const BeaconSettings settings_;
  const std::string host_ = name_of_host();
};

}  // namespace

std::shared_ptr<Service> make_beacon(const BeaconSettings& settings) { return std::make_shared<Beacon>(settings); }

}  // namespace superd
