#include "superd/config/values.h"

#include <fmt/format.h>

#include <algorithm>

#include "superd/base/units.h"
#include "superd/base/words.h"

namespace superd {

namespace {

/// A value within its bounds, or a complaint that shows it and them as `text_of` writes them.
template <class TextOf>
std::optional<std::int64_t> within(const Reading& reading, std::int64_t value, TextOf text_of) {
  const auto& [least, most, is_limit] = reading.key.bounds;
  if (value >= least && value <= most) return value;
  const auto range = fmt::format("write {} to {}", text_of(least), text_of(most));
  if (value > most) return reading.complain(fmt::format("{} is above {}: {}", text_of(value), text_of(most), range));
  const auto remedy = is_limit ? "a limit can be raised, not switched off" : range;
  return reading.complain(fmt::format("{} is below {}: {}", text_of(value), text_of(least), remedy));
}

// Far more than anybody writes, and few enough that [defaults] cannot multiply them to what no memory holds.
constexpr std::size_t most_addresses = 300;
constexpr std::size_t most_networks = 100;
constexpr std::size_t most_log_targets = 8;

/// A network of everybody would switch the bounds off that it is an exception from.
Result<Network> parse_trusted(std::string_view text) {
  auto network = Network::parse(text);
  if (network && network->text().ends_with("/0"))
    return error(fmt::format("\"{}\" is everybody: a limit can be raised, not switched off", network->text()));
  return network;
}

}  // namespace

std::nullopt_t Reading::complain(const Node& where, std::string_view what) const {
  complaints.add(where.line, key.name, what);
  return std::nullopt;
}

std::nullopt_t Reading::complain_of_type(const Node& where) const {
  return complain(where, fmt::format("is {}: write {}", name_of(where.type), key.wants(key.bounds)));
}

std::nullopt_t Reading::complain_of_items(std::size_t most) const {
  return complain(fmt::format("has {} items: write at most {}", node.items.size(), most));
}

std::span<const Node> items_of(const Node& node) noexcept {
  return node.type == Node::Type::array ? std::span(node.items) : std::span(&node, 1);
}

std::optional<std::int64_t> whole_number(const Reading& reading) {
  if (reading.node.type != Node::Type::whole) return reading.complain_of_type(reading.node);
  return within(reading, reading.node.whole, [](std::int64_t n) { return std::to_string(n); });
}

std::optional<std::int64_t> size_in_bytes(const Reading& reading) {
  const auto& node = reading.node;
  if (node.type == Node::Type::whole) return within(reading, node.whole, size_text);
  if (node.type != Node::Type::text) return reading.complain_of_type(node);
  const auto bytes = parse_size(node.text);
  if (!bytes) return reading.complain(bytes.error().what);
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  return within(reading, static_cast<std::int64_t>(std::min(*bytes, most)), size_text);
}

std::optional<Millis> duration(const Reading& reading) {
  const auto& node = reading.node;
  if (node.type == Node::Type::whole)
    return reading.complain(fmt::format("{0} has no unit: write \"{0}s\"", node.whole));
  if (node.type != Node::Type::text) return reading.complain_of_type(node);
  const auto parsed = parse_duration(node.text);
  if (!parsed) return reading.complain(parsed.error().what);
  const auto text_of = [](std::int64_t millis) { return format_duration(Millis(millis)); };
  const auto millis = within(reading, parsed->count(), text_of);
  if (!millis) return std::nullopt;
  return Millis(*millis);
}

std::optional<std::string_view> text(const Reading& reading) {
  if (reading.node.type != Node::Type::text) return reading.complain_of_type(reading.node);
  return reading.node.text;
}

std::optional<std::size_t> choice(const Reading& reading, Words words) {
  const auto word = text(reading);
  if (!word) return std::nullopt;
  const auto found = std::ranges::find(words, *word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const auto nearest = nearest_word(*word, words);
  const auto meant = nearest.empty() ? std::string() : fmt::format("did you mean \"{}\"? ", nearest);
  return reading.complain(
      fmt::format("there is no \"{}\": {}right are {}", escaped(*word, 40), meant, quoted_choice(words)));
}

std::optional<std::string> label(const Reading& reading) {
  const auto name = text(reading);
  if (!name) return std::nullopt;
  if (!name->empty() && !is_label(*name))
    return reading.complain(fmt::format("\"{}\" is no name: {}", escaped(*name, 40), label_rule));
  return std::string(*name);
}

std::optional<std::vector<ListenAddress>> addresses(const Reading& reading) {
  if (items_of(reading.node).empty()) return reading.complain(fmt::format("is empty: {}", listen_remedy));
  return each<ListenAddress>(reading, most_addresses, ListenAddress::parse);
}

std::optional<std::vector<std::string>> includes(const Reading& reading) {
  return each<std::string>(reading, most_addresses, [](const std::string& text) -> Result<std::string> {
    if (text.empty() || text.find('\0') != text.npos) return error("is no path: name a file or a directory");
    return text;
  });
}

std::optional<std::vector<Network>> networks(const Reading& reading) {
  return each<Network>(reading, most_networks, parse_trusted);
}

std::optional<std::vector<LogTarget>> log_targets(const Reading& reading) {
  if (items_of(reading.node).empty())
    return reading.complain("is empty: write where lines go, as in log_to = \"stderr\"");
  return each<LogTarget>(reading, most_log_targets, LogTarget::parse);
}

bool is_label(std::string_view text) noexcept {
  constexpr std::string_view legal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
  return !text.empty() && text.size() <= 64 && text.find_first_not_of(legal) == text.npos;
}

std::string size_text(std::int64_t bytes) {
  return bytes <= 0 ? std::to_string(bytes) : format_size(static_cast<std::uint64_t>(bytes));
}

std::string quoted_choice(Words words) {
  std::vector<std::string> quoted;
  for (const auto word : words) quoted.push_back(fmt::format("\"{}\"", word));
  const std::vector<std::string_view> views(quoted.begin(), quoted.end());
  return either_of(views);
}

std::string toml_array(std::span<const std::string> items) {
  std::string array;
  for (const auto& item : items) array += (array.empty() ? "" : ", ") + toml_string(item);
  return "[" + array + "]";
}

}  // namespace superd
