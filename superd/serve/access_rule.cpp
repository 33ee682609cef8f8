#include "superd/serve/access_rule.h"

#include "superd/base/words.h"

namespace superd {

Result<AccessRule> AccessRule::parse(std::string_view text) {
  if (text.starts_with('@')) {
    const auto path = text.substr(1);
    if (!path.starts_with('/') || path.find('\0') != path.npos)
      return error('"' + escaped(text, 80) +
                   R"(" is no set file: write its absolute path, as in "@/etc/superd/friends")");
    return AccessRule{Kind::set_file, {}, std::string(path)};
  }
  auto network = Network::parse(text);
  if (!network) return std::unexpected(network.error());
  return AccessRule{Kind::network, *network, {}};
}

std::string AccessRule::text() const { return kind == Kind::set_file ? '@' + path : network.text(); }

}  // namespace superd
