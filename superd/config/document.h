#pragma once

#include <cstdint>
#include <map>
#include <set>
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

/// What was wrong with a configuration, collected while it is read. Lines are counted on from file to file, so that one
/// number tells both: see begin_file().
class Complaints {
 public:
  /// What to add to the numbers of its lines, from 1 on. `can_be_skipped`: what is wrong with it need not stop the rest.
  int begin_file(std::string_view name, std::size_t lines, bool can_be_skipped);
  /// Of which file a line is: 0 the first.
  [[nodiscard]] std::size_t file_of(int line) const noexcept;
  /// "line 7", or in another file than `from` "b.toml:7".
  [[nodiscard]] std::string place_of(int line, int from) const;

  /// `key` may come from the file; without one it is about the line. `what` is ready to be shown.
  void add(int line, std::string_view key, std::string_view what);

  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  /// No more are wanted: nobody reads a thousand, and a file made to cost time ends here.
  [[nodiscard]] bool is_full() const noexcept { return all_.size() >= most; }

  /// Sorted by file and line, each once, as "file:line: key: what: remedy".
  [[nodiscard]] std::vector<std::string> lines() const;

  /// The files that are complained of, when all of them can be skipped and no complaint was left out; none otherwise.
  [[nodiscard]] std::set<std::size_t> skippable_files() const;
  /// Takes out what was said of these files.
  [[nodiscard]] std::vector<std::string> take(const std::set<std::size_t>& files);

 private:
  struct File {
    std::string name;
    int before_first;  // what its line 0 would be
    bool can_be_skipped;
  };
  [[nodiscard]] std::string shown(int line, const std::string& text) const;

  static constexpr std::size_t most = 1000;
  std::vector<File> files_;
  int next_ = 0;
  std::multimap<int, std::string> all_;  // those of one line in the order in which they were found
};

/// A file's text as a table, its lines counted on from `before_first`. Syntax errors go to `complaints`; `is_whole` is false after those that hide a part of the
/// file, so that what seems to be missing may be there.
struct Document {
  Node root;
  bool is_whole = true;
};
[[nodiscard]] Document read_toml(std::string_view text, Complaints& complaints, int before_first);

/// Text as a TOML string, in quotes.
[[nodiscard]] std::string toml_string(std::string_view text);

/// Text as a TOML key: in quotes only where it must be.
[[nodiscard]] std::string toml_key(std::string_view text);

}  // namespace superd
