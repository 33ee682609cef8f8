#include <algorithm>
#include <string>
#include <vector>

#include "superd/base/words.h"
#include "superd/designs/design.h"
#include "superd/engines/engines.h"

namespace superd {

namespace {
constexpr DesignEntry table[] = {
    {"iterative", "the listening thread serves each conversation to its end", false, false, false, false,
     make_iterative},
    {"threads", "a thread per conversation, on demand", false, false, false, false, make_threads},
    {"processes", "a process per conversation, on demand", false, false, false, false, make_processes, true, true},
    {"prethreaded", "`workers` threads wait at each listener", false, false, true, false, make_prethreaded},
    {"preforked", "`workers` processes wait at each listener", false, false, true, false, make_preforked, true},
    {"event", "`loops` threads, each serving all its clients at once by an engine", true, true, false, false,
     make_event},
    {"delayed", "the listening thread begins; who is late gets the door taken away", false, false, false, true,
     make_delayed},
    {"adaptive", "`loops`, each given to another thread while a handler computes", true, true, false, true,
     make_adaptive},
};
}  // namespace

std::span<const DesignEntry> designs() noexcept { return table; }

const DesignEntry* find_design(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &DesignEntry::name);
  return found == std::end(table) ? nullptr : found;
}

namespace {

template <class Row>
std::string names_of(std::span<const Row> rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  return either_of(names);
}

}  // namespace

Result<> check_design(const DesignSettings& settings) {
  const auto* design = find_design(settings.design);
  if (!design) return error("no design is called \"" + settings.design + "\": " + names_of(designs()));
  if (!design->uses_engine) return {};
  const auto* engine = find_engine(settings.engine);
  if (!engine) return error("no engine is called \"" + settings.engine + "\": " + names_of(engines()));
  if (design->uses_threads && !engine->changes_hands)
    return error("the engine " + settings.engine + " belongs to one thread, but " + settings.design +
                 " gives its loops from one to another: epoll does that, or the design event with " + settings.engine);
  return {};
}

Result<std::unique_ptr<Design>> make_design(const DesignSettings& settings) {
  if (auto checked = check_design(settings); !checked) return std::unexpected(checked.error());
  return find_design(settings.design)->make(settings);
}

}  // namespace superd
