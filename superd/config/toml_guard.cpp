#include "superd/config/toml_guard.h"

#include <fmt/format.h>

#include <algorithm>

namespace superd {

namespace {

// A configuration needs three parts ("service.echo.listen") and two levels. Printed with all defaults, as many services
// as there may be have 40,000 values and 400,000 items.
constexpr int most_parts = 16;
constexpr std::size_t most_levels = 16;
constexpr int most_values = 100'000;
constexpr int most_items = 500'000;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view not_ascii = R"(outside of quotes stands ASCII alone, and a quote is ")";
constexpr std::string_view glued_string = "a comma or = is missing before the string";
constexpr std::string_view glued_bracket = "a comma or = is missing before the bracket";
constexpr std::string_view second_equals = "there is a second =";

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// Walks over a text as far as it may be TOML, to know what is a string, a comment, a key and a value.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  Guarded result() {
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
    while (at_ < text_.size() && !flaw_) {
      step();
      if (parts_ > most_parts) found(fmt::format("a key has at most {} parts", most_parts));
      if (open_.size() > most_levels) found(fmt::format("brackets nest at most {} deep", most_levels));
      if (values_ > most_values) found(fmt::format("a file has at most {} values", most_values), true);
      if (items_ > most_items) found(fmt::format("a file has at most {} items in arrays", most_items), true);
    }
    if (!flaw_) return {std::string(text_), {}};
    return {std::string(text_.substr(0, at_)) + '?', std::move(flaw_)};  // TOML has no such sign
  }

 private:
  void step() {
    const char c = text_[at_];
    switch (c) {
      case ' ':
      case '\t':
      case '\r': break;
      case '\n': end_line(); break;
      case '#': at_ = std::min(text_.find('\n', at_), text_.size()); return;
      case '"':
      case '\'': return string();
      case '=': return equals();
      case '[':
      case '{': return open(c);
      case ']':
      case '}': close(c); break;
      case ',': return begin(c, innermost() != '{');
      default:
        if (!is_ascii(c)) return found(not_ascii);
        parts_ += c == '.';
        before_ = c;
    }
    ++at_;
  }

  void end_line() {
    ++line_;
    if (!open_.empty()) return;
    in_value_ = false;
    parts_ = 1;
    before_ = '\n';
  }

  void equals() {
    if (in_value_ || innermost() == header) return found(second_equals);
    begin('=', true);
  }

  void open(char c) {
    const bool is_header = c == '[' && !in_value_ && (before_ == '\n' || (before_ == '[' && open_.size() == 1));
    if (!is_header && !(in_value_ && begins_value())) return found(glued_bracket);
    open_ += is_header ? header : c;
    begin(c, !is_header && c == '[');
  }

  // What is closed at a wrong place ends the parsing by itself, and so does a comma.
  void close(char c) {
    if (!open_.empty() && (c == '}') == (innermost() == '{')) {
      in_value_ = innermost() != header;
      open_.pop_back();
    }
    before_ = c;
  }

  /// Goes over a sign behind which a key or a value begins.
  void begin(char sign, bool in_value) {
    before_ = sign;
    in_value_ = in_value;
    parts_ = 1;
    ++(sign == ',' ? items_ : values_);
    ++at_;
  }

  void string() {
    const bool begins_part = !in_value_ && std::string_view("\n[{,.").find(before_) != std::string_view::npos;
    if (!begins_part && !(in_value_ && begins_value())) return found(glued_string);
    before_ = text_[at_];
    const std::string_view three = before_ == '"' ? R"(""")" : "'''";
    skip_string(stands_here(three) ? three : three.substr(0, 1));
  }

  void skip_string(std::string_view quotes) {
    const bool has_lines = quotes.size() == 3;
    for (at_ += quotes.size(); at_ < text_.size() && !stands_here(quotes); ++at_) {
      if (text_[at_] == '\n' && !has_lines) return;
      const bool escapes = text_[at_] == '\\' && before_ == '"' && at_ + 1 < text_.size();
      if (escapes) ++at_;
      if (text_[at_] == '\n') ++line_;
      if (!is_ascii(text_[at_]) && has_lines && before_ == '"')
        return found(R"(a string in """ is ASCII: write it in one line and in ")");
    }
    at_ = std::min(at_ + quotes.size(), text_.size());
    // One or two quotes before the closing three belong to the string (TOML 1.0, "String").
    for (int i = 0; i < 2 && has_lines && stands_here(quotes.substr(0, 1)); ++i) ++at_;
  }

  [[nodiscard]] bool begins_value() const { return std::string_view("=[,").find(before_) != std::string_view::npos; }
  [[nodiscard]] bool stands_here(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  [[nodiscard]] char innermost() const { return open_.empty() ? '\0' : open_.back(); }
  void found(std::string_view what, bool is_final = false) { flaw_ = {line_, std::string(what), is_final}; }

  static constexpr char header = 'h';

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Flaw> flaw_;
  int line_ = 1, parts_ = 1, values_ = 0, items_ = 0;
  std::string open_;       // brackets: '[', '{', or a header's
  bool in_value_ = false;  // else where a key may stand
  char before_ = '\n';     // the last sign that is no blank; a quote for a string
};

}  // namespace

Guarded guarded(std::string_view text) { return Walk(text).result(); }

}  // namespace superd
