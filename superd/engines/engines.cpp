#include "superd/engines/engines.h"

#include <sys/select.h>

#include <algorithm>

namespace superd {

namespace {
constexpr EngineEntry table[] = {
    {"select",   "the chapter's; descriptors below 1024 alone",                      make_select,   FD_SETSIZE, true },
    {"poll",     "any number of descriptors, each looked at in every turn",          make_poll,     0,          true },
    {"epoll",    "a turn costs what is ready; the default",                          make_epoll,    0,          true },
    {"io_uring", "many requests in one call; best from tens of busy connections on", make_io_uring, 0,          false},
};
}  // namespace

std::span<const EngineEntry> engines() noexcept { return table; }

const EngineEntry* find_engine(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &EngineEntry::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace superd
