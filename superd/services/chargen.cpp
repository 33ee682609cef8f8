#include <algorithm>
#include <array>
#include <random>
#include <string_view>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/services/services.h"

namespace superd {

namespace {

constexpr std::size_t columns = 72, line_size = columns + 2;
constexpr std::size_t printables = '~' - ' ' + 1;

// The pattern RFC 864 proposes: lines of 72 of the 95 printable characters, each beginning one later. After 95 lines it
// begins again, so that it is written from here for ever.
constexpr auto ring = [] {
  std::array<char, printables * line_size> text{};
  for (std::size_t line = 0; line < printables; ++line) {
    for (std::size_t column = 0; column < columns; ++column)
      text[line * line_size + column] = static_cast<char>(' ' + (line + column) % printables);
    text[line * line_size + columns] = '\r';
    text[line * line_size + columns + 1] = '\n';
  }
  return text;
}();
constexpr std::string_view pattern(ring.data(), ring.size());

// The RFC's bound for a datagram.
constexpr std::size_t longest_answer = 512;

/// RFC 864: characters until the client closes; a datagram is answered with a random number of them, at most 512 and at
/// most what may be answered to an unverified source.
class Chargen final : public Service {
 public:
  task<> serve(Connection& client) override {
    // Not `while (co_await ...)`: g++ 12.2 miscompiles that without a local variable (tests/compiler/await_in_condition.cpp).
    bool wants_more = true;
    while (wants_more) wants_more = co_await client.write(pattern);
  }

  task<> serve(Datagram& request) override {
    request.reply(pattern.substr(0, random_length(std::min(longest_answer, request.room()))));
    co_return;
  }

 private:
  static std::size_t random_length(std::size_t most) {
    // One a thread: the length need not be unpredictable, and a lock would cost more than the answer.
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_int_distribution<std::size_t>{0, most}(random);
  }
};

}  // namespace

std::shared_ptr<Service> make_chargen() { return std::make_shared<Chargen>(); }

}  // namespace superd
