#include "superd/serve/access_rule.h"

#include <algorithm>

#include "superd/base/words.h"

namespace superd {

namespace {

// As "example.org", ".example.org" and "ALL" of hosts_access(5). An IPv6 address has letters too, and colons.
bool looks_like_name(std::string_view text) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto host = text.substr(0, text.find('/'));
  return text.find(':') == text.npos && std::ranges::any_of(host, is_letter);
}

}  // namespace

Result<AccessRule> AccessRule::parse(std::string_view text) {
  if (text.starts_with('@')) {
    const auto path = text.substr(1);
    if (!path.starts_with('/') || path.find('\0') != path.npos)
      return error('"' + escaped(text, 80) +
                   R"(" is no set file: write its absolute path, as in "@/etc/superd/friends")");
    return AccessRule{Kind::set_file, {}, std::string(path)};
  }
  if (looks_like_name(text))
    return error(
        '"' + escaped(text, 80) +
        "\" is a name, which is not looked up, for whoever is asked could lie or keep clients waiting: write the "
        "network, as in \"10.0.0.0/8\", or a set file that something else keeps, as in \"@/etc/superd/friends\"");
  auto network = Network::parse(text);
  if (!network) return std::unexpected(network.error());
  return AccessRule{Kind::network, *network, {}};
}

std::string AccessRule::text() const { return kind == Kind::set_file ? '@' + path : network.text(); }

}  // namespace superd
