// What the keys that confine a program take.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "superd/base/capabilities.h"
#include "superd/base/words.h"
#include "superd/config/values.h"

namespace superd {

namespace {

// In the order of Confinement::Filter.
constexpr std::array<std::string_view, 3> names_of_filters = {"confined", "no_network", "no_new_programs"};

/// The indices of words in a table, or a complaint about each word that is not there.
std::optional<std::vector<int>> indices(const Reading& reading, Words table, std::string_view kind) {
  const auto words = strings(reading);
  if (!words) return std::nullopt;
  std::vector<int> all;
  for (std::size_t i = 0; i < words->size(); ++i) {
    const auto found = std::ranges::find(table, (*words)[i]);
    if (found != table.end()) {
      all.push_back(static_cast<int>(found - table.begin()));
      continue;
    }
    const auto nearest = nearest_word((*words)[i], table);
    return reading.complain(reading.node.items[i],
                            fmt::format("\"{}\" is no {}: {}", escaped((*words)[i], 60), kind,
                                        nearest.empty() ? "write " + reading.key.wants(reading.key.bounds)
                                                        : fmt::format("did you mean \"{}\"?", nearest)));
  }
  return all;
}

}  // namespace

std::optional<std::int64_t> percent(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  std::int64_t share = 0;
  const auto* const end = given->data() + given->size();
  const auto [stop, failure] = std::from_chars(given->data(), end, share);
  const auto& [least, most, is_limit] = reading.key.bounds;
  const bool is_share = failure == std::errc{} && std::string_view(stop, end) == "%";
  if (is_share && share >= least && share <= most) return share;
  return reading.complain(fmt::format("\"{}\" is no share: write \"{}%\" to \"{}%\", where 200% are two processors",
                                      escaped(*given, 60), least, most));
}

std::optional<std::vector<Confinement::Group>> groups(const Reading& reading) {
  const auto names = strings(reading);
  if (!names) return std::nullopt;
  std::vector<Confinement::Group> all;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto id = find_group((*names)[i]);
    if (!id)
      return reading.complain(reading.node.items[i],
                              fmt::format("no group is called \"{}\": write a name that getent(1) knows, or a number",
                                          escaped((*names)[i], 40)));
    all.push_back({(*names)[i], *id});
  }
  return all;
}

std::optional<std::vector<int>> capabilities(const Reading& reading) {
  return indices(reading, capability_names(), "capability");
}

std::optional<std::vector<Confinement::Filter>> filters(const Reading& reading) {
  const auto found = indices(reading, names_of_filters, "filter");
  if (!found) return std::nullopt;
  std::vector<Confinement::Filter> all;
  for (const int index : *found) all.push_back(static_cast<Confinement::Filter>(index));
  return all;
}

std::optional<std::vector<std::string>> paths(const Reading& reading) {
  auto all = strings(reading);
  if (!all) return std::nullopt;
  for (std::size_t i = 0; i < all->size(); ++i)
    if (!(*all)[i].starts_with('/'))
      return reading.complain(reading.node.items[i],
                              fmt::format("\"{}\" is no absolute path: begin it with /", escaped((*all)[i], 120)));
  return all;
}

Words filter_names() noexcept { return names_of_filters; }

std::vector<std::string> texts_of_capabilities(std::span<const int> all) {
  std::vector<std::string> texts;
  for (const int number : all) texts.emplace_back(capability_names()[static_cast<std::size_t>(number)]);
  return texts;
}

std::vector<std::string> texts_of_filters(std::span<const Confinement::Filter> all) {
  std::vector<std::string> texts;
  for (const auto filter : all) texts.emplace_back(names_of_filters[static_cast<std::size_t>(filter)]);
  return texts;
}

}  // namespace superd
