#include "superd/services/services.h"

#include <algorithm>

namespace superd {

namespace {
/// For handlers that have nothing to be told.
template <std::shared_ptr<Service> (*make)()>
Result<std::shared_ptr<Service>> plain(const HandlerSettings&) {
  return make();
}

constexpr ServiceEntry table[] = {
    {"chargen", "an endless pattern, or one datagram of it",  true,  true, false, plain<make_chargen>},
    {"daytime", "the time as a line of text",                 true,  true, false, plain<make_daytime>},
    {"discard", "takes everything, answers nothing",          true,  true, false, plain<make_discard>},
    {"echo",    "sends back what it is sent",                 true,  true, false, plain<make_echo>   },
    {"fsp",     "files, without connections (FSP version 2)", false, true, true,  make_fsp           },
    {"qotd",    "a quote of the day",                         true,  true, false, plain<make_qotd>   },
    {"slow",    "computes, sleeps or blocks as it is told",   true,  true, false, plain<make_slow>   },
    {"tftp",    "files, as boards and PXE ask for them",      false, true, true,  make_tftp          },
    {"time",    "the time as a 32-bit number",                true,  true, false, plain<make_time>   },
};
}  // namespace

std::span<const ServiceEntry> services() noexcept { return table; }

const ServiceEntry* find_service(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &ServiceEntry::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace superd
