#include <netdb.h>

#include <array>
#include <charconv>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "superd/base/words.h"
#include "superd/net/listen_address.h"

namespace superd {
namespace {

// glibc's own files need some hundred bytes a line; a name service (NIS, LDAP) with long alias lists gets more.
using Room = std::array<char, 16384>;

std::optional<std::uint16_t> look_up(const std::string& service, const char* transport) {
  servent entry{};
  servent* found = nullptr;
  Room room;
  if (::getservbyname_r(service.c_str(), transport, &entry, room.data(), room.size(), &found) != 0 || !found)
    return std::nullopt;
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

/// Every name the database has for a transport, aliases too.
std::vector<std::string> names_for(std::string_view transport) {
  static std::mutex one_walk;  // the database has one position for the whole process (getservent(3))
  const std::lock_guard lock(one_walk);
  std::vector<std::string> names;
  servent entry{};
  servent* found = nullptr;
  Room room;
  ::setservent(0);
  while (::getservent_r(&entry, room.data(), room.size(), &found) == 0 && found) {
    if (transport != found->s_proto) continue;
    names.emplace_back(found->s_name);
    for (char** alias = found->s_aliases; *alias; ++alias) names.emplace_back(*alias);
  }
  ::endservent();
  return names;
}

std::unexpected<Error> unknown(const std::string& service, std::string_view transport) {
  const auto what = '"' + escaped(service, 40) + "\" is not in the services database for " + std::string(transport);
  const std::string other = transport == "tcp" ? "udp" : "tcp";
  if (const auto port = look_up(service, other.c_str()))
    return error(what + ", only for " + other + ": write the number " + std::to_string(*port));
  const auto names = names_for(transport);
  if (names.empty()) return error(what + ", which is empty: write the number, or install the package netbase");
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto nearest = nearest_word(service, candidates);
  return error(what + (nearest.empty() ? ": write the number" : ": did you mean \"" + std::string(nearest) + "\"?"));
}

}  // namespace

Result<std::uint16_t> port_of(std::string_view service, std::string_view transport) {
  if (service.empty()) return error("the port is missing");
  const std::string name(service);
  if (name.find_first_not_of("0123456789") != name.npos) {
    const bool is_name = name.find_first_of(std::string_view(" \t\n\r\0/[]%*", 10)) == name.npos;
    if (!is_name) return error('"' + escaped(name, 40) + "\" is neither a port nor the name of a service");
    if (const auto port = look_up(name, std::string(transport).c_str())) return *port;
    return unknown(name, transport);
  }
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), port);
  const bool is_port = failure == std::errc{} && (name.size() == 1 || name.front() != '0');
  if (!is_port) return error('"' + escaped(name, 40) + "\" is not a port, 0 to 65535");
  return port;
}

}  // namespace superd
