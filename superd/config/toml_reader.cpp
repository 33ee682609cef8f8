#include <fmt/format.h>

// It asserts, or without assertions assumes, what its own next line reports as an error of the file.
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>
#include <expected>

#include "superd/base/words.h"
#include "superd/config/document.h"
#include "superd/config/toml_guard.h"

namespace superd {

namespace {

// Errors of syntax are mostly one, or the same one in every line: then ten show what is meant.
constexpr int most_syntax_errors = 10;

using Parsed = std::expected<toml::table, Flaw>;

/// "Error while parsing array: expected comma, saw 'x'" without its beginning, lower case, safe to show.
std::string without_preamble(std::string_view description) {
  constexpr std::string_view preamble = "Error while parsing ";
  if (const auto colon = description.find(": "); description.starts_with(preamble) && colon != description.npos)
    description.remove_prefix(colon + 2);
  constexpr std::string_view end = R"('\n')";
  const bool is_at_end = description.ends_with(end);
  if (is_at_end) description.remove_suffix(end.size());
  auto why = escaped(description) + (is_at_end ? "the end of the line" : "");
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] += 'a' - 'A';
  return why;
}

int line_of(const toml::source_region& region) { return std::max(1, static_cast<int>(region.begin.line)); }

Parsed parse(std::string_view text) {
  auto guard = guarded(text);
  auto& flaw = guard.flaw;
  try {
    auto table = toml::parse(guard.text);
    if (!flaw) return table;
  } catch (const toml::parse_error& failure) {
    const int line = line_of(failure.source());
    if (!flaw || line < flaw->line) flaw = {line, without_preamble(failure.description()), false};
  }
  return std::unexpected(std::move(*flaw));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const auto begin = text.find_first_not_of(blank);
  return begin == text.npos ? std::string_view() : text.substr(begin, text.find_last_not_of(blank) + 1 - begin);
}

/// Where a line stands in a text; counted from 1.
struct Span {
  std::size_t begin, size;
};
Span span_of_line(std::string_view text, int line) {
  std::size_t begin = 0;
  for (; line > 1; --line) {
    const auto end = text.find('\n', begin);
    if (end == text.npos) break;
    begin = end + 1;
  }
  return {begin, std::min(text.find('\n', begin), text.size()) - begin};
}

/// "key = value" taken apart; the key is empty where there is none.
struct Assignment {
  std::string_view key, value;
};
Assignment assignment_in(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == line.npos || trimmed(line).starts_with('[')) return {};
  const auto key = trimmed(line.substr(0, equals));
  const auto value = line.substr(equals + 1);
  return {key, trimmed(value.substr(0, value.find('#')))};
}

/// A word, "30s", "64 KiB", "0660", "tcp/7": what people write and TOML wants in quotes.
bool is_unquoted_text(std::string_view value) {
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:*[]% ";
  if (value.size() < 2 || value.size() > 60 || value[0] == '[') return false;
  if (value.find_first_not_of(plain) != value.npos) return false;
  return value[0] == '0' || value.find_first_not_of(digits) != value.npos;
}

void complain(const Flaw& flaw, std::string_view line, Complaints& complaints, int before_first) {
  const auto [key, value] = assignment_in(line);
  const bool is_header = trimmed(line).starts_with('[');
  const auto what = is_header ? trimmed(line) : key.empty() ? std::string_view("TOML") : key;
  auto why = flaw.what;
  if (why.starts_with("cannot redefine"))
    why += ": it is there twice: keep one";
  else if (is_unquoted_text(value))
    why += fmt::format(": text and units stand in quotes: \"{}\"", value);
  complaints.add(before_first + flaw.line, what, why);
}

Node::Type type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: return Node::Type::text;
    case toml::node_type::integer: return Node::Type::whole;
    case toml::node_type::floating_point: return Node::Type::fraction;
    case toml::node_type::boolean: return Node::Type::boolean;
    case toml::node_type::array: return Node::Type::array;
    case toml::node_type::table: return Node::Type::table;
    default: return Node::Type::moment;
  }
}

/// As deep as guarded() lets a text be.
Node node_of(const toml::node& from) {
  Node node{.type = type_of(from), .line = line_of(from.source())};
  if (const auto* text = from.as_string()) node.text = text->get();
  if (const auto* number = from.as_integer()) node.whole = number->get();
  if (const auto* number = from.as_floating_point()) node.fraction = number->get();
  if (const auto* truth = from.as_boolean()) node.whole = truth->get() ? 1 : 0;
  if (const auto* array = from.as_array())
    for (const auto& item : *array) node.items.push_back(node_of(item));
  if (const auto* table = from.as_table()) {
    std::vector<std::pair<const toml::key*, const toml::node*>> members;
    for (const auto& [key, member] : *table) members.emplace_back(&key, &member);
    // toml++ keeps them by name.
    const auto place = [](const auto& member) {
      const auto& begin = member.first->source().begin;
      return std::pair(begin.line, begin.column);
    };
    std::ranges::sort(members, {}, place);
    for (const auto& [key, member] : members)
      node.entries.push_back({std::string(key->str()), line_of(key->source()), node_of(*member)});
  }
  return node;
}

}  // namespace

namespace {

void count_on(Node& node, int before_first) {
  node.line += before_first;
  for (auto& item : node.items) count_on(item, before_first);
  for (auto& entry : node.entries) {
    entry.line += before_first;
    count_on(entry.value, before_first);
  }
}

Document counted_on(Node root, int before_first, bool is_whole) {
  if (before_first != 0) count_on(root, before_first);
  return {.root = std::move(root), .is_whole = is_whole};
}

}  // namespace

Document read_toml(std::string_view text, Complaints& complaints, int before_first) {
  std::string rest(text);
  for (int errors = 0;; ++errors) {
    const auto parsed = parse(rest);
    if (parsed) return counted_on(node_of(*parsed), before_first, errors == 0);
    const auto& flaw = parsed.error();
    const auto [begin, size] = span_of_line(rest, flaw.line);
    const auto line = std::string_view(rest).substr(begin, size);
    complain(flaw, line, complaints, before_first);
    if (flaw.is_final) return {.is_whole = false};
    // What stands before a wrong line can be read, unless the line is within a value that began earlier. What stands
    // behind it can be read without it, unless it is a section's header.
    const auto before = parse(std::string_view(rest).substr(0, begin));
    if (!before || assignment_in(line).key.empty() || errors == most_syntax_errors)
      return counted_on(before ? node_of(*before) : Node{}, before_first, false);
    std::fill_n(rest.begin() + static_cast<std::ptrdiff_t>(begin), size, ' ');
  }
}

}  // namespace superd
