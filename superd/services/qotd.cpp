#include <array>
#include <chrono>
#include <string_view>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

// Printable ASCII, CR LF at the end, far below the 512 characters of RFC 865; all old enough to belong to everyone. The
// longest that an unverified source gets with an empty request is 64, so most are shorter.
constexpr auto quotes = std::to_array<std::string_view>({
    "\"Well begun is half done.\" Aristotle\r\n",
    "\"They also serve who only stand and wait.\" Milton\r\n",
    "\"Better three hours too soon than a minute too late.\"\r\n",
    "\"Delays have dangerous ends.\" Shakespeare\r\n",
    "\"Nothing will come of nothing.\" Shakespeare\r\n",
    "\"Make haste slowly.\" Augustus\r\n",
    "\"How poor are they that have not patience!\"\r\n",
    "\"Who asks does not err.\" Proverb\r\n",
    "\"Everything flows.\" Heraclitus\r\n",
    "\"Lost time is never found again.\" Franklin\r\n",
});

std::string_view quote_of_the_day() noexcept {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()).time_since_epoch().count();
  return quotes[static_cast<std::size_t>(today) % quotes.size()];
}

/// RFC 865: a quote, the same for a day, to whoever connects or sends a datagram.
class QuoteOfTheDay final : public Service {
 public:
  task<> serve(Connection& client) override {
    const auto quote = quote_of_the_day();
    co_await client.write(quote);
  }

  task<> serve(Datagram& request) override {
    request.reply(quote_of_the_day());
    co_return;
  }
};

}  // namespace

std::shared_ptr<Service> make_qotd() { return std::make_shared<QuoteOfTheDay>(); }

}  // namespace superd
