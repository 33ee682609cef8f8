#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/watched_file.h"
#include "superd/serve/access_rule.h"
#include "superd/serve/access_table.h"

namespace superd {

/// The networks of a set file: one a line, blank lines and what follows a "#" aside. An error names the line.
[[nodiscard]] Result<std::vector<Network>> parse_set(std::string_view text);

/// What set files held when somebody could read them, by their paths.
using KnownSets = std::map<std::string, std::vector<Network>>;
/// Reads one, beside those that are known already.
Result<> learn_set(const std::string& path, KnownSets& known);

/// Who may come and who may not, by address, with the set files that say so. Thread-safe.
class AccessList {
 public:
  /// Reads the set files; an error when one cannot be read or has a line that is wrong. With `known`, that is logged
  /// instead: the file is in force as it was known. One of `allow` that was not known allows nobody, and while one of
  /// `deny` is not known, nobody is admitted: it could be anybody who is meant.
  static Result<std::unique_ptr<AccessList>> make(const AccessRules& allow, const AccessRules& deny,
                                                  const KnownSets* known = nullptr);

  [[nodiscard]] bool admits(const AddressBits&) const noexcept;

  [[nodiscard]] bool has_files() const noexcept { return !files_.empty(); }
  /// Looks whether set files have changed, and reads those that have. What cannot be read, or has a wrong line, is
  /// logged and changes nothing. One thread at a time looks; the others are not kept waiting.
  void refresh() noexcept;

 private:
  struct SetFile {
    WatchedFile file;
    Opinion opinion;
    std::vector<Network> networks;
    std::string failure;  // that was logged already
    bool is_unknown = false;

    Result<> read();
  };

  AccessList(const AccessRules& allow, const AccessRules& deny);
  void go_on_without(SetFile&, const KnownSets&, const Error& why);
  [[nodiscard]] bool is_anybody_meant() const noexcept;
  [[nodiscard]] AccessTable made_table() const;
  bool read_changed(SetFile&) noexcept;

  std::vector<JudgedNetwork> fixed_;
  Opinion otherwise_;  // of whom nothing is said
  std::mutex refreshing_;
  std::vector<SetFile> files_;
  mutable std::mutex mutex_;
  AccessTable table_;  // while there are no files it never changes
  bool is_closed_ = false;
};

}  // namespace superd
