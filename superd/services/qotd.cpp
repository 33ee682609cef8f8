#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

// Printable ASCII, CR LF at the end, far below the 512 characters of RFC 865; all old enough to belong to everyone. No
// longer than 64, which is what an unverified source gets for an empty request. All are among those by which nmap -sV
// knows the service, which has no other mark.
constexpr auto quotes = std::to_array<std::string_view>({
    "\"In Heaven an angel is nobody in particular.\" Shaw\r\n",
    "\"Voce dal sen fuggita poi richiamar non vale.\" Metastasio\r\n",
    "\"It was as true as taxes is.\" Dickens\r\n",
    "\"Semel in anno licet insanire.\" Proverb\r\n",
    "\"Assassination is the extreme form of censorship.\" Shaw\r\n",
    "\"Cosa bella e mortal passa e non dura.\" Petrarca\r\n",
    "\"We want a few mad people now.\" Shaw\r\n",
});
static_assert(std::ranges::all_of(quotes, [](std::string_view quote) { return quote.size() <= 64; }));

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
