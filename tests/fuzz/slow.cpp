// Whatever a client sends to the service `slow`, it is refused with a line for people, or is bounded and reads back.

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "superd/services/slow_request.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto request = superd::parse_slow_request({reinterpret_cast<const char*>(data), size});
  if (!request) {
    const auto text = request.error();
    if (text.empty() || text.size() > 63 || !std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }))
      std::abort();
    return 0;
  }
  superd::Millis sum{0};
  for (const auto& step : *request) {
    if (step.time < superd::Millis{0}) std::abort();
    sum += step.time;
  }
  if (request->empty() || request->size() > 4 || sum > superd::longest_slow_request) std::abort();
  if (superd::parse_slow_request(superd::text_of(*request)) != request) std::abort();
  return 0;
}
