#include <array>
#include <ctime>
#include <string_view>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

// "Sun Nov 22 15:27:03 2026" and CR LF: the line of ctime(3), which any number of threads may make at once.
struct Line {
  std::array<char, 40> text;
  std::size_t size;
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
};

Line line_of_now() noexcept {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  Line line{};
  line.size = std::strftime(line.text.data(), line.text.size(), "%a %b %e %H:%M:%S %Y\r\n", &parts);
  return line;
}

/// RFC 867: the time of day as one line of text, to whoever connects or sends a datagram, whatever is in it.
class Daytime final : public Service {
 public:
  task<> serve(Connection& client) override {
    const Line line = line_of_now();
    const auto text = line.view();
    co_await client.write(text);
  }

  task<> serve(Datagram& request) override {
    request.reply(line_of_now().view());
    co_return;
  }
};

}  // namespace

std::shared_ptr<Service> make_daytime() { return std::make_shared<Daytime>(); }

}  // namespace superd
