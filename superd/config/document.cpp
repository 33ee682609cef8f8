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
  if (is_full()) return;
  all_.emplace(line, key.empty() ? std::string(what) : fmt::format("{}: {}", escaped(key, 80), what));
}

int Complaints::begin_file(std::string_view name, std::size_t lines, bool can_be_skipped) {
  files_.push_back({escaped(name, 400), next_, can_be_skipped});
  next_ += static_cast<int>(lines) + 1;
  return files_.back().before_first;
}

std::size_t Complaints::file_of(int line) const noexcept {
  const auto after = std::ranges::upper_bound(files_, line, {}, &File::before_first);
  return static_cast<std::size_t>(after - files_.begin()) - 1;
}

std::string Complaints::place_of(int line, int from) const {
  const auto& file = files_[file_of(line)];
  const int number = line - file.before_first;
  return file_of(from) == file_of(line) ? fmt::format("line {}", number) : fmt::format("{}:{}", file.name, number);
}

// What is wrong with a file as a whole stands in its line 0.
std::string Complaints::shown(int line, const std::string& text) const {
  const auto& file = files_[file_of(line)];
  const int number = line - file.before_first;
  return number == 0 ? fmt::format("{}: {}", file.name, text) : fmt::format("{}:{}: {}", file.name, number, text);
}

std::vector<std::string> Complaints::lines() const {
  std::vector<std::string> lines;
  for (const auto& [line, text] : all_) {
    auto one = shown(line, text);
    // What [defaults] do to every service is said once.
    if (std::ranges::find(lines, one) == lines.end()) lines.push_back(std::move(one));
  }
  if (is_full()) lines.push_back(fmt::format("{}: these are {} errors: no more are shown", files_.front().name, most));
  return lines;
}

std::set<std::size_t> Complaints::skippable_files() const {
  std::set<std::size_t> files;
  if (is_full()) return files;
  for (const auto& [line, text] : all_) {
    const auto file = file_of(line);
    if (!files_[file].can_be_skipped) return {};
    files.insert(file);
  }
  return files;
}

std::vector<std::string> Complaints::take(const std::set<std::size_t>& files) {
  auto taken = lines();
  std::erase_if(all_, [&](const auto& complaint) { return files.contains(file_of(complaint.first)); });
  return taken;
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
