#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "superd/base/words.h"
#include "superd/config/accounts.h"
#include "superd/config/values.h"

namespace superd {

namespace {

// The greatest number means "leave it as it is" to chown(2).
constexpr std::int64_t greatest_id = std::numeric_limits<std::uint32_t>::max() - 1;

std::optional<uid_t> user_called(const std::string& name) {
  const auto account = account_called(name);
  return account ? std::optional(account->id) : std::nullopt;
}

template <class Id>
std::optional<Id> id_of(const Reading& reading, std::string_view what, std::optional<Id> (*find)(const std::string&)) {
  const auto& node = reading.node;
  if (node.type == Node::Type::whole) {
    if (node.whole >= 0 && node.whole <= greatest_id) return static_cast<Id>(node.whole);
    return reading.complain(fmt::format("{} is no number of a {}: write 0 to {}", node.whole, what, greatest_id));
  }
  const auto name = text(reading);
  if (!name) return std::nullopt;
  const bool may_exist = !name->empty() && name->find('\0') == name->npos;
  if (const auto id = may_exist ? find(std::string(*name)) : std::nullopt) return id;
  return reading.complain(
      fmt::format("no {} is called \"{}\": write a name that getent(1) knows, or a number", what, escaped(*name, 40)));
}

}  // namespace

std::optional<uid_t> user(const Reading& reading) { return id_of<uid_t>(reading, "user", user_called); }
std::optional<gid_t> user_group(const Reading& reading) { return id_of<gid_t>(reading, "group", group_called); }

std::optional<mode_t> mode(const Reading& reading) {
  if (!text(reading)) return std::nullopt;
  const auto& digits = reading.node.text;
  mode_t bits = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, bits, 8);
  if (failure == std::errc{} && stop == end && bits <= 0777) return bits;
  return reading.complain(
      fmt::format("\"{}\" is no mode of a file: write three octal digits, as in \"0660\"", escaped(digits, 40)));
}

}  // namespace superd
