#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace superd {

struct Entry;

/// A value of a TOML file, as far as a configuration can use it; at most a few hundred levels deep.
struct Node {
  enum class Type : std::uint8_t { text, whole, fraction, boolean, moment, array, table };

  Type type = Type::table;
  int line = 1;
  std::string text;            ///< of a text
  std::int64_t whole = 0;      ///< of a whole number; 1 or 0 of a boolean
  double fraction = 0;         ///< of a fraction
  std::vector<Node> items;     ///< of an array
  std::vector<Entry> entries;  ///< of a table, in the order of the file
};

struct Entry {
  std::string key;
  int line;  ///< of the key
  Node value;
};

/// "a string", "a whole number", "a table"; for messages.
[[nodiscard]] std::string_view name_of(Node::Type) noexcept;

/// What was wrong with a configuration, collected while it is read.
class Complaints {
 public:
  /// `key` may come from the file; `what` is ready to be shown.
  void add(int line, std::string_view key, std::string_view what);

  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  /// No more are wanted: nobody reads a thousand, and a file made to cost time ends here.
  [[nodiscard]] bool is_full() const noexcept { return all_.size() >= most; }

  /// Sorted by line, each once, as "file:line: key: what: remedy".
  [[nodiscard]] std::vector<std::string> lines(std::string_view file) const;

 private:
  static constexpr std::size_t most = 1000;
  std::multimap<int, std::string> all_;  // those of one line in the order in which they were found
};

/// A file's text as a table. Syntax errors go to `complaints`; `is_whole` is false after those that hide a part of the
/// file, so that what seems to be missing may be there.
struct Document {
  Node root;
  bool is_whole = true;
};
[[nodiscard]] Document read_toml(std::string_view text, Complaints& complaints);

/// Text as a TOML string, in quotes.
[[nodiscard]] std::string toml_string(std::string_view text);

/// Text as a TOML key: in quotes only where it must be.
[[nodiscard]] std::string toml_key(std::string_view text);

}  // namespace superd
