// What the keys of services that serve files take.

#include "superd/config/values.h"
#include "superd/services/tftp/remap.h"

namespace superd {

std::optional<std::vector<std::string>> name_rules(const Reading& reading) {
  auto rules = strings(reading);
  if (!rules) return std::nullopt;
  for (std::size_t i = 0; i < rules->size(); ++i) {
    const auto read = tftp::NameRules::parse(std::span(*rules).subspan(i, 1));
    if (!read) return reading.complain(reading.node.items[i], read.error().what);
  }
  return rules;
}

}  // namespace superd
