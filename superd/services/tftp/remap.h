#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/error.h"
#include "superd/net/endpoint.h"
#include "superd/services/files/tree.h"

namespace superd::tftp {

/// Rules that change names before they are looked up, those of tftpd-hpa (tftpd(8), -m): "OPERATIONS REGEX REPLACEMENT",
/// each applied in turn.
///
///     r  replaces what the regular expression matches (POSIX extended, leftmost and longest)
///     g  with r: again, until it matches no more       e  ends the rules when it matched
///     i  upper and lower case are the same             s  begins with the first rule again when it matched
///     a  refuses the request when it matches           ~  the rule is for names that do not match; not with r
///     G, P  only for reading, only for writing         4, 6  only for clients of IPv4, of IPv6
///
/// In a replacement \0 is all that matched, \1 to \9 its groups, \i the client's address, \x the same in hexadecimal
/// digits; \U, \L and \E begin upper case, lower case and neither; a backslash before anything else stands for that.
///
/// A hostile name costs no more than a friendly one: matching takes a time that grows with its length alone (RE2), and
/// rules that repeat do so a bounded number of times. Immutable, so for all threads.
class NameRules {
 public:
  NameRules();
  NameRules(NameRules&&) noexcept;
  NameRules& operator=(NameRules&&) noexcept;
  ~NameRules();

  /// An error says what is wrong with the first rule that is.
  static Result<NameRules> parse(std::span<const std::string> rules);

  struct Asker {
    bool writes;
    const Endpoint& client;
  };
  /// FileFault::forbidden where a rule refuses, or the rules find no end.
  [[nodiscard]] std::expected<std::string, FileFault> apply(std::string_view name, const Asker& asker) const;

 private:
  struct Rule;
  static Result<Rule> parse_rule(const std::string& text);

  std::vector<Rule> rules_;
};

}  // namespace superd::tftp
