#include <array>
#include <ctime>
#include <string>
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

Line line_of(std::time_t when) noexcept {
  std::tm parts{};
  localtime_r(&when, &parts);
  Line line{};
  line.size = std::strftime(line.text.data(), line.text.size(), "%a %b %e %H:%M:%S %Y\r\n", &parts);
  return line;
}

// Made once a second and thread: making it costs more than all else that superd itself does for a client.
std::string_view line_of_now() noexcept {
  thread_local std::time_t made_at = -1;
  thread_local Line line;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    line = line_of(now);
    made_at = now;
  }
  return line.view();
}

/// RFC 867: the time of day as one line of text, to whoever connects or sends a datagram, whatever is in it.
class Daytime final : public Service {
 public:
  task<> serve(Connection& client) override {
    // A copy: another conversation of this thread may make the next line while this one waits.
    const std::string line(line_of_now());
    co_await client.write(line);
  }

  task<> serve(Datagram& request) override {
    request.reply(line_of_now());
    co_return;
  }
};

}  // namespace

std::shared_ptr<Service> make_daytime() { return std::make_shared<Daytime>(); }

}  // namespace superd
