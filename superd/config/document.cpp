#include "superd/config/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "superd/base/words.h"

namespace superd {

std::string_view name_of(Node::Type type) noexcept {
  switch (type) {
    case Node::Type::text: return "a string";
    case Node::Type::whole: return "a whole number";
    case Node::Type::fraction: return "a fraction";
    case Node::Type::boolean: return "a boolean";
    case Node::Type::moment: return "a date or time";
    case Node::Type::array: return "an array";
    case Node::Type::table: break;
  }
  return "a table";
}

void Complaints::add(int line, std::string_view key, std::string_view what) {
  if (!is_full()) all_.emplace(line, fmt::format("{}: {}", escaped(key, 80), what));
}

std::vector<std::string> Complaints::lines(std::string_view file) const {
  std::vector<std::string> lines;
  const auto where = escaped(file, 400);
  for (const auto& [line, text] : all_) {
    auto shown = fmt::format("{}:{}: {}", where, line, text);
    // What [defaults] do to every service is said once.
    if (std::ranges::find(lines, shown) == lines.end()) lines.push_back(std::move(shown));
  }
  if (is_full()) lines.push_back(fmt::format("{}: these are {} errors: no more are shown", where, most));
  return lines;
}

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const bool is_control = (c >= 0 && c < ' ') || c == '\x7f';
    if (is_control)
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else if (c == '"' || c == '\\')
      quoted.append({'\\', c});
    else
      quoted += c;
  }
  return quoted += '"';
}

std::string toml_key(std::string_view text) {
  constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  const bool is_bare = !text.empty() && text.find_first_not_of(bare) == text.npos;
  return is_bare ? std::string(text) : toml_string(text);
}

}  // namespace superd
