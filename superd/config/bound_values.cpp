// Values that bound who may come, and how often.

#include <fmt/format.h>

#include "superd/base/words.h"
#include "superd/config/values.h"
#include "superd/serve/banner.h"

namespace superd {

namespace {

// Few enough that [defaults] cannot multiply them to what no memory holds; more belong into a set file.
constexpr std::size_t most_rules = 300, most_hours = 50;

}  // namespace

std::optional<Rate> rate(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  const auto parsed = parse_rate(*given);
  if (!parsed) return reading.complain(parsed.error().what);
  return *parsed;
}

std::optional<double> load(const Reading& reading) {
  const auto& node = reading.node;
  if (node.type != Node::Type::fraction && node.type != Node::Type::whole) return reading.complain_of_type(node);
  const double value = node.type == Node::Type::whole ? static_cast<double>(node.whole) : node.fraction;
  // So is what is no number.
  if (!(value > 0)) return reading.complain(fmt::format("{} is not above 0: nobody would ever be let in", value));
  if (value > Limits::no_load_limit)
    return reading.complain(fmt::format("{} is above {}: that is no limit any more", value, Limits::no_load_limit));
  return value;
}

std::optional<AccessRules> access(const Reading& reading) {
  return each<AccessRule>(reading, most_rules, AccessRule::parse);
}

std::optional<std::vector<Hours>> hours(const Reading& reading) {
  return each<Hours>(reading, most_hours, Hours::parse);
}

std::optional<std::string> banner(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  if (given->starts_with('@') && !given->starts_with("@/"))
    return reading.complain(
        fmt::format("\"{}\" is no file: write its absolute path, as in \"@/etc/superd/welcome\"", escaped(*given, 80)));
  if (given->starts_with('@') && given->find('\0') != given->npos) return reading.complain("a path has no NUL in it");
  if (given->size() > Banner::longest)
    return reading.complain(fmt::format("has {} bytes: write at most {}", given->size(), Banner::longest));
  return std::string(*given);
}

}  // namespace superd
