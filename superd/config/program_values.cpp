// What the keys of programs take.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "superd/base/units.h"
#include "superd/base/words.h"
#include "superd/config/accounts.h"
#include "superd/config/values.h"

namespace superd {

namespace {

constexpr std::size_t most_words = 1000;

struct Resource {
  std::string_view name;
  int number;
  bool is_size;
};
constexpr Resource resources[] = {
    {"as",         RLIMIT_AS,         true },
    {"core",       RLIMIT_CORE,       true },
    {"cpu",        RLIMIT_CPU,        false},
    {"data",       RLIMIT_DATA,       true },
    {"fsize",      RLIMIT_FSIZE,      true },
    {"locks",      RLIMIT_LOCKS,      false},
    {"memlock",    RLIMIT_MEMLOCK,    true },
    {"msgqueue",   RLIMIT_MSGQUEUE,   true },
    {"nice",       RLIMIT_NICE,       false},
    {"nofile",     RLIMIT_NOFILE,     false},
    {"nproc",      RLIMIT_NPROC,      false},
    {"rss",        RLIMIT_RSS,        true },
    {"rtprio",     RLIMIT_RTPRIO,     false},
    {"rttime",     RLIMIT_RTTIME,     false},
    {"sigpending", RLIMIT_SIGPENDING, false},
    {"stack",      RLIMIT_STACK,      true },
};

constexpr std::string_view unlimited = "unlimited";

std::optional<std::uint64_t> parse_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc{} && stop == end ? std::optional(number) : std::nullopt;
}

bool has_nul(std::string_view text) { return text.find('\0') != text.npos; }

std::optional<Account> find_account(const std::string& name) {
  if (name.empty() || has_nul(name)) return std::nullopt;
  const auto number = parse_number(name);
  return number ? account_of(static_cast<uid_t>(*number)) : account_called(name);
}

Result<Launch::Bound> parse_bound(const std::string& text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto name = std::string_view(text).substr(0, equals);
  const auto value = std::string_view(text).substr(std::min(equals + 1, text.size()));
  const auto* known = std::ranges::find(resources, name, &Resource::name);
  if (known == std::end(resources)) {
    std::vector<std::string_view> names;
    for (const auto& resource : resources) names.push_back(resource.name);
    const auto nearest = nearest_word(name, names);
    return error(fmt::format(
        "\"{}\" bounds no resource: {}", escaped(text, 60),
        nearest.empty() ? "right are " + quoted_choice(names) : fmt::format("did you mean \"{}\"?", nearest)));
  }
  if (value == unlimited) return Launch::Bound{known->number, RLIM_INFINITY};
  const auto size = known->is_size ? parse_size(value) : error({});
  const auto most = size ? std::optional(*size) : parse_number(std::string(value));
  if (most) return Launch::Bound{known->number, *most};
  return error(fmt::format("\"{}\": {} is {}: write it after a =, or \"{}\"", escaped(text, 60), name,
                           known->is_size ? "a size" : "a whole number", unlimited));
}

}  // namespace

std::optional<std::vector<std::string>> strings(const Reading& reading) {
  const auto& node = reading.node;
  if (node.type != Node::Type::array) return reading.complain_of_type(node);
  if (node.items.size() > most_words)
    return reading.complain(fmt::format("has {} items: write at most {}", node.items.size(), most_words));
  std::vector<std::string> all;
  for (const auto& item : node.items) {
    if (item.type != Node::Type::text) return reading.complain_of_type(item);
    if (has_nul(item.text)) return reading.complain(item, "has a NUL in it, where text ends: leave it out");
    all.push_back(item.text);
  }
  return all;
}

std::optional<gid_t> find_group(const std::string& name) {
  if (name.empty() || has_nul(name)) return std::nullopt;
  if (const auto number = parse_number(name)) return static_cast<gid_t>(*number);
  return group_called(name);
}

std::optional<bool> flag(const Reading& reading) {
  if (reading.node.type != Node::Type::boolean) return reading.complain_of_type(reading.node);
  return reading.node.whole != 0;
}

std::optional<std::string> path(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  if (given->starts_with('/') && !has_nul(*given)) return std::string(*given);
  return reading.complain(fmt::format("\"{}\" is no absolute path: begin it with /", escaped(*given, 120)));
}

std::optional<std::vector<std::string>> command(const Reading& reading) {
  auto words = strings(reading);
  if (!words) return std::nullopt;
  if (words->empty() || !words->front().starts_with('/'))
    return reading.complain(fmt::format("begins with {}: write the program's absolute path first, as in [\"/bin/cat\"]",
                                        words->empty() ? "nothing" : "\"" + escaped(words->front(), 60) + "\""));
  return words;
}

std::optional<std::vector<std::string>> environment(const Reading& reading) {
  auto settings = strings(reading);
  if (!settings) return std::nullopt;
  for (std::size_t i = 0; i < settings->size(); ++i)
    if (const auto& setting = (*settings)[i]; setting.find('=') == setting.npos || setting.starts_with('='))
      return reading.complain(reading.node.items[i],
                              fmt::format("\"{}\" sets nothing: write NAME=value", escaped(setting, 60)));
  return settings;
}

std::optional<Launch::Identity> identity(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  const auto colon = std::min(given->find(':'), given->size());
  const std::string name(given->substr(0, colon));
  const auto user = find_account(name);
  if (!user)
    return reading.complain(
        fmt::format("no user is called \"{}\": write a name that getent(1) knows", escaped(name, 40)));
  Launch::Identity who{std::string(*given), user->id, user->group, groups_of(*user)};
  if (colon == given->size()) return who;
  const std::string wanted(given->substr(colon + 1));
  const auto group = find_group(wanted);
  if (!group)
    return reading.complain(
        fmt::format("no group is called \"{}\": write a name that getent(1) knows, or a number", escaped(wanted, 40)));
  // Who names the group wants that one and no others.
  who.group = *group;
  who.groups = {*group};
  return who;
}

std::optional<std::vector<Launch::Bound>> resource_bounds(const Reading& reading) {
  const auto texts = strings(reading);
  if (!texts) return std::nullopt;
  std::vector<Launch::Bound> bounds;
  for (std::size_t i = 0; i < texts->size(); ++i) {
    const auto bound = parse_bound((*texts)[i]);
    if (!bound) return reading.complain(reading.node.items[i], bound.error().what);
    bounds.push_back(*bound);
  }
  return bounds;
}

std::vector<std::string> texts_of(std::span<const Launch::Bound> bounds) {
  std::vector<std::string> all;
  for (const auto& [number, most] : bounds) {
    const auto* resource = std::ranges::find(resources, number, &Resource::number);
    const auto value = most == RLIM_INFINITY ? std::string(unlimited) : std::to_string(most);
    all.push_back(fmt::format("{}={}", resource->name, value));
  }
  return all;
}

}  // namespace superd
