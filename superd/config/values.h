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
  /// For an array of more items than `most`.
  std::nullopt_t complain_of_items(std::size_t most) const;
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
[[nodiscard]] std::optional<std::vector<LogTarget>> log_targets(const Reading&);  ///< at least one
[[nodiscard]] std::optional<mode_t> mode(const Reading&);
[[nodiscard]] std::optional<uid_t> user(const Reading&);
[[nodiscard]] std::optional<gid_t> user_group(const Reading&);

// What bounds who may come (bound_values.cpp).
[[nodiscard]] std::optional<Rate> rate(const Reading&);
[[nodiscard]] std::optional<double> load(const Reading&);  ///< a whole number or a fraction
[[nodiscard]] std::optional<AccessRules> access(const Reading&);
[[nodiscard]] std::optional<std::vector<Hours>> hours(const Reading&);
[[nodiscard]] std::optional<std::string> banner(const Reading&);

[[nodiscard]] std::optional<std::vector<std::string>> name_rules(const Reading&);  ///< see services/tftp/remap.h

// Of raw listeners and services at them (raw_values.cpp).
[[nodiscard]] std::optional<std::vector<std::string>> icmp_types(const Reading&);
[[nodiscard]] std::optional<std::vector<sock_filter>> packet_filter(const Reading&);
[[nodiscard]] std::optional<std::optional<Endpoint>> address(const Reading&);         ///< of one host; empty: none
[[nodiscard]] std::optional<std::vector<Network>> answered_networks(const Reading&);  ///< everybody's too

// Of groups and beacons (multicast_values.cpp).
[[nodiscard]] std::optional<std::vector<Membership>> memberships(const Reading&);
[[nodiscard]] std::optional<std::string> interface_name(const Reading&);  ///< or empty
[[nodiscard]] std::optional<std::vector<std::string>> announced(const Reading&);

[[nodiscard]] std::optional<bool> flag(const Reading&);
[[nodiscard]] std::optional<std::string> path(const Reading&);                   ///< absolute
[[nodiscard]] std::optional<std::vector<std::string>> includes(const Reading&);  ///< paths, relative ones too
[[nodiscard]] std::optional<std::vector<std::string>> command(const Reading&);
[[nodiscard]] std::optional<std::vector<std::string>> environment(const Reading&);
[[nodiscard]] std::optional<Launch::Identity> identity(const Reading&);  ///< looked up now
[[nodiscard]] std::optional<std::vector<Launch::Bound>> resource_bounds(const Reading&);

// What confines a program.
[[nodiscard]] std::optional<std::int64_t> percent(const Reading&);
[[nodiscard]] std::optional<std::vector<Confinement::Group>> groups(const Reading&);  ///< looked up now
[[nodiscard]] std::optional<std::vector<int>> capabilities(const Reading&);
[[nodiscard]] std::optional<std::vector<Confinement::Filter>> filters(const Reading&);
[[nodiscard]] std::optional<std::vector<std::string>> paths(const Reading&);  ///< absolute ones
/// The items of an array of strings, each without a NUL.
[[nodiscard]] std::optional<std::vector<std::string>> strings(const Reading&);
/// A group's name or number; nothing where the system knows none.
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

[[nodiscard]] Words filter_names() noexcept;
[[nodiscard]] std::vector<std::string> texts_of_capabilities(std::span<const int>);
[[nodiscard]] std::vector<std::string> texts_of_filters(std::span<const Confinement::Filter>);
/// A string alone counts as an array of one.
[[nodiscard]] std::span<const Node> items_of(const Node&) noexcept;

/// Each item of an array read by `parse`; all that are wrong are complained of. Nothing where there are more than `most`.
template <class T, class Parse>
std::optional<std::vector<T>> each(const Reading& reading, std::size_t most, Parse parse) {
  std::vector<T> values;
  if (reading.node.items.size() > most) return reading.complain_of_items(most);
  for (const auto& item : items_of(reading.node)) {
    if (reading.complaints.is_full()) break;
    if (item.type != Node::Type::text) {
      reading.complain_of_type(item);
    } else if (Result<T> value = parse(item.text)) {
      values.push_back(std::move(*value));
    } else {
      reading.complain(item, value.error().what);
    }
  }
  return values;
}

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
