#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "superd/config/keys.h"

namespace superd {

/// One value that is being read. The functions below return nothing after a complaint; those that read arrays leave out
/// the items that are wrong.
struct Reading {
  const Key& key;
  const Node& node;
  Complaints& complaints;

  /// Complains in the line of `node` or of one of its items; returns nothing, so that it can be returned.
  std::nullopt_t complain(std::string_view what) const { return complain(node, what); }
  std::nullopt_t complain(const Node& where, std::string_view what) const;
  /// For a value of a wrong type.
  std::nullopt_t complain_of_type(const Node& where) const;
};

using Words = std::span<const std::string_view>;

[[nodiscard]] std::optional<std::int64_t> whole_number(const Reading&);
[[nodiscard]] std::optional<std::int64_t> size_in_bytes(const Reading&);  ///< "64KiB", or a whole number
[[nodiscard]] std::optional<Millis> duration(const Reading&);
[[nodiscard]] std::optional<std::string_view> text(const Reading&);
[[nodiscard]] std::optional<std::size_t> choice(const Reading&, Words words);  ///< its index
[[nodiscard]] std::optional<std::string> label(const Reading&);                ///< see is_label(); or empty
[[nodiscard]] std::optional<std::vector<ListenAddress>> addresses(const Reading&);
[[nodiscard]] std::optional<std::vector<Network>> networks(const Reading&);
[[nodiscard]] std::optional<mode_t> mode(const Reading&);
[[nodiscard]] std::optional<uid_t> user(const Reading&);
[[nodiscard]] std::optional<gid_t> user_group(const Reading&);

[[nodiscard]] std::optional<bool> flag(const Reading&);
[[nodiscard]] std::optional<std::string> path(const Reading&);                ///< absolute
[[nodiscard]] std::optional<std::vector<std::string>> paths(const Reading&);  ///< relative ones too
[[nodiscard]] std::optional<std::vector<std::string>> command(const Reading&);
[[nodiscard]] std::optional<std::vector<std::string>> environment(const Reading&);
[[nodiscard]] std::optional<Launch::Identity> identity(const Reading&);  ///< looked up now
[[nodiscard]] std::optional<std::vector<Launch::Bound>> resource_bounds(const Reading&);

/// As resource_bounds() reads them.
[[nodiscard]] std::vector<std::string> texts_of(std::span<const Launch::Bound>);

/// What services and groups may be called, so that logs, metrics and paths can carry it: up to 64 letters, digits,
/// '_', '-' and '.'.
[[nodiscard]] bool is_label(std::string_view) noexcept;
constexpr std::string_view label_rule = "a name is 1 to 64 letters, digits, \"_\", \"-\" and \".\"";

constexpr std::string_view listen_remedy = R"(write where clients are taken in, as in listen = ["tcp/7"])";

/// "64KiB", or 0 as it is.
[[nodiscard]] std::string size_text(std::int64_t bytes);
/// Words in quotes: "\"wait\" or \"refuse\"".
[[nodiscard]] std::string quoted_choice(Words words);
/// An array of strings.
[[nodiscard]] std::string toml_array(std::span<const std::string> items);

}  // namespace superd
