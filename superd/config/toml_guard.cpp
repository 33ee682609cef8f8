#include "superd/config/toml_shape.h"

#include <fmt/format.h>

#include <algorithm>

namespace superd {

namespace {

// A configuration needs three parts ("service.echo.listen") and two levels; it has some ten values for each service.
constexpr int most_parts = 16;
constexpr int most_levels = 16;
constexpr int most_values = 200'000;

/// Walks over a text as TOML has it: what stands in strings and comments does not count. Behind the first syntax error
/// it may be mistaken, but there the parser has stopped already.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  std::optional<Flaw> flaw() {
    while (at_ < text_.size()) {
      step();
      if (parts_ > most_parts) return Flaw{line_, fmt::format("a key has at most {} parts", most_parts)};
      if (levels_ > most_levels) return Flaw{line_, fmt::format("brackets nest at most {} deep", most_levels)};
      if (values_ > most_values) return Flaw{line_, fmt::format("a file has at most {} values", most_values)};
    }
    return std::nullopt;
  }

 private:
  void step() {
    switch (text_[at_]) {
      case '"':
      case '\'': skip_string(); return;
      case '#': at_ = std::min(text_.find('\n', at_), text_.size()); return;
      case '.': ++parts_; break;
      case '[':
      case '{': ++levels_; [[fallthrough]];
      case ',':
      case '=':
        parts_ = 1;
        ++values_;
        break;
      case ']':
      case '}': levels_ = std::max(0, levels_ - 1); break;
      case '\n':
        parts_ = 1;
        ++line_;
        break;
      default: break;
    }
    ++at_;
  }

  void skip_string() {
    const char quote = text_[at_];
    const std::string_view three = quote == '"' ? R"(""")" : "'''";
    const auto closing = text_.substr(at_).starts_with(three) ? three : three.substr(0, 1);
    at_ += closing.size();
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (text_.substr(at_).starts_with(closing)) break;
      if (c == '\n' && closing.size() == 1) return;
      if (c == '\n') ++line_;
      const bool escapes = c == '\\' && quote == '"' && at_ + 1 < text_.size();
      if (escapes && text_[++at_] == '\n') ++line_;
    }
    at_ = std::min(at_ + closing.size(), text_.size());
    // One or two quotes before the closing three belong to the string (TOML 1.0, "String").
    for (int i = 0; i < 2 && closing.size() == 3 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1, parts_ = 1, levels_ = 0, values_ = 0;
};

}  // namespace

std::optional<Flaw> flaw_of_shape(std::string_view text) { return Walk(text).flaw(); }

}  // namespace superd
