#include "superd/services/services.h"

#include <algorithm>

namespace superd {

namespace {
constexpr ServiceEntry table[] = {
    {"chargen", "an endless pattern, or one datagram of it", true, true, make_chargen},
    {"daytime", "the time as a line of text",                true, true, make_daytime},
    {"discard", "takes everything, answers nothing",         true, true, make_discard},
    {"echo",    "sends back what it is sent",                true, true, make_echo   },
    {"qotd",    "a quote of the day",                        true, true, make_qotd   },
    {"slow",    "computes, sleeps or blocks as it is told",  true, true, make_slow   },
    {"time",    "the time as a 32-bit number",               true, true, make_time   },
};
}  // namespace

std::span<const ServiceEntry> services() noexcept { return table; }

const ServiceEntry* find_service(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &ServiceEntry::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace superd
