#include <algorithm>
#include <string>
#include <vector>

#include "superd/base/words.h"
#include "superd/designs/design.h"

namespace superd {

namespace {
constexpr DesignEntry table[] = {
    {"iterative",   "the listening thread serves each conversation to its end",           false, false, false, make_iterative  },
    {"threads",     "a thread per conversation, on demand",                               false, false, false, make_threads    },
    {"processes",   "a process per conversation, on demand",                              false, false, false, make_processes,   true},
    {"prethreaded", "`workers` threads wait at each listener",                            false, false, true,  make_prethreaded},
    {"preforked",   "`workers` processes wait at each listener",                          false, false, true,  make_preforked,   true},
    {"event",       "`loops` threads, each serving all its clients at once by an engine", true,  true,  false, make_event      },
};
}  // namespace

std::span<const DesignEntry> designs() noexcept { return table; }

const DesignEntry* find_design(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &DesignEntry::name);
  return found == std::end(table) ? nullptr : found;
}

Result<std::unique_ptr<Design>> make_design(const DesignSettings& settings) {
  if (const auto* entry = find_design(settings.design)) return entry->make(settings);
  std::vector<std::string_view> names;
  for (const auto& entry : table) names.push_back(entry.name);
  return error("no design is called \"" + settings.design + "\": " + either_of(names));
}

}  // namespace superd
