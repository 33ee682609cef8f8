#include "superd/services/tftp/remap.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <re2/re2.h>

#include <array>
#include <cstring>

#include "superd/base/words.h"

namespace superd::tftp {

namespace {

// A rule with g that lengthens what it matches, or two with s that undo each other, would never end.
constexpr int most_applications = 100;
// What an expression may need while it matches; beyond, it matches more slowly and not less.
constexpr std::int64_t most_memory = 1 << 20;
constexpr std::size_t groups = 10;

std::string_view next_word(std::string_view& rest) noexcept {
  const auto begin = std::min(rest.find_first_not_of(" \t"), rest.size());
  rest.remove_prefix(begin);
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != ' ' && rest[end] != '\t') end += rest[end] == '\\' ? 2 : 1;
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end, rest.size()));
  return word;
}

std::string address_of(const Endpoint& client) {
  auto text = client.unmapped().text();
  text.resize(text.rfind(':'));
  return text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
}

std::string hexadecimal(const Endpoint& client) {
  std::string digits;
  const auto add = [&digits](const auto& address) {
    std::array<unsigned char, sizeof address> bytes;
    std::memcpy(bytes.data(), &address, sizeof address);
    for (const auto byte : bytes) digits += fmt::format("{:02X}", byte);
  };
  const auto plain = client.unmapped();
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (plain.is_v4()) {
    std::memcpy(&v4, plain.address(), sizeof v4);
    add(v4.sin_addr);
  } else if (plain.is_v6()) {
    std::memcpy(&v6, plain.address(), sizeof v6);
    add(v6.sin6_addr);
  }
  return digits;
}

/// Text that is put together, in the case that is asked for.
class Cased {
 public:
  void add(std::string_view text) {
    for (char c : text) {
      if (case_ == 'U' && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      if (case_ == 'L' && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      text_ += c;
    }
  }
  void begin(char wanted) noexcept { case_ = wanted; }
  std::string take() noexcept { return std::move(text_); }

 private:
  std::string text_;
  char case_ = 'E';
};

std::string replaced(std::string_view pattern, std::span<const re2::StringPiece> matched, const Endpoint& client) {
  Cased text;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      text.add(pattern.substr(i, 1));
      continue;
    }
    const char what = pattern[++i];
    if (what >= '0' && what <= '9') {
      const auto& group = matched[static_cast<std::size_t>(what - '0')];
      text.add({group.data(), group.size()});
    } else if (what == 'i') {
      text.add(address_of(client));
    } else if (what == 'x') {
      text.add(hexadecimal(client));
    } else if (what == 'U' || what == 'L' || what == 'E') {
      text.begin(what);
    } else {
      text.add(pattern.substr(i, 1));
    }
  }
  return text.take();
}

}  // namespace

struct NameRules::Rule {
  std::string operations;
  std::unique_ptr<re2::RE2> expression;
  std::string replacement;

  [[nodiscard]] bool has(char operation) const noexcept { return operations.find(operation) != operations.npos; }
  [[nodiscard]] bool is_for(const Asker& asker) const noexcept {
    const bool is_v4 = asker.client.unmapped().is_v4();
    return !(has('G') && asker.writes) && !(has('P') && !asker.writes) && !(has('4') && !is_v4) && !(has('6') && is_v4);
  }
};

NameRules::NameRules() = default;
NameRules::NameRules(NameRules&&) noexcept = default;
NameRules& NameRules::operator=(NameRules&&) noexcept = default;
NameRules::~NameRules() = default;

Result<NameRules::Rule> NameRules::parse_rule(const std::string& text) {
  const auto wrong = [&text](const std::string& why) { return error("\"" + escaped(text, 60) + "\" " + why); };
  std::string_view rest = text;
  Rule rule{.operations = std::string(next_word(rest)), .expression = nullptr, .replacement = {}};
  const auto pattern = next_word(rest);
  rule.replacement = next_word(rest);
  constexpr std::string_view known = "rgieas~GP46";
  if (const auto bad = rule.operations.find_first_not_of(known); bad != rule.operations.npos)
    return wrong(
        fmt::format("has an operation \"{}\": there are {}", escaped(rule.operations.substr(bad, 1), 4), known));
  if (pattern.empty())
    return wrong(R"(is no rule: write operations, an expression and a replacement, as in "rg \\ /")");
  if (rule.has('~') && rule.has('r')) return wrong("replaces where nothing matches: leave out r or ~");
  if (!next_word(rest).empty()) return wrong("goes on after the replacement: write a backslash before a blank");

  re2::RE2::Options options(re2::RE2::POSIX);
  options.set_log_errors(false);
  options.set_max_mem(most_memory);
  options.set_case_sensitive(!rule.has('i'));
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // names are bytes
  rule.expression = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!rule.expression->ok()) return wrong("has no right expression: " + rule.expression->error());
  return rule;
}

Result<NameRules> NameRules::parse(std::span<const std::string> rules) {
  NameRules all;
  for (const auto& text : rules) {
    auto rule = parse_rule(text);
    if (!rule) return std::unexpected(rule.error());
    all.rules_.push_back(std::move(*rule));
  }
  return all;
}

std::expected<std::string, FileFault> NameRules::apply(std::string_view asked, const Asker& asker) const {
  constexpr auto refused = std::unexpected(FileFault::forbidden);
  std::string name(asked);
  int left = most_applications;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto& rule = rules_[i];
    if (!rule.is_for(asker)) continue;
    bool has_matched = false;
    for (bool again = true; again;) {
      std::array<re2::StringPiece, groups> matched;
      const bool matches = rule.expression->Match(name, 0, name.size(), re2::RE2::UNANCHORED, matched.data(), groups);
      if (matches == rule.has('~')) break;
      has_matched = true;
      if (rule.has('a') || --left < 0) return refused;
      again = rule.has('r') && rule.has('g');
      if (!rule.has('r')) break;
      const auto begin = static_cast<std::size_t>(matched[0].data() - name.data());
      const auto size = matched[0].size();
      name = name.substr(0, begin) + replaced(rule.replacement, matched, asker.client) + name.substr(begin + size);
      if (name.size() > longest_name) return refused;
    }
    if (!has_matched) continue;
    if (rule.has('e')) break;
    if (rule.has('s')) i = static_cast<std::size_t>(-1);
  }
  return name;
}

}  // namespace superd::tftp
