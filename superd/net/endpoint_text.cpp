#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

#include "superd/base/words.h"
#include "superd/net/endpoint.h"

namespace superd {
namespace {

std::string quoted(std::string_view text) { return '"' + escaped(text, 120) + '"'; }

/// Decimal, whole, without leading zeros: "010" is eight to some programs and ten to others.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool has_scope(const in6_addr& address) noexcept {
  return IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MC_LINKLOCAL(&address) || IN6_IS_ADDR_MC_NODELOCAL(&address);
}

Result<std::uint32_t> scope_of(std::string_view interface) {
  if (const auto index = parse_number<std::uint32_t>(interface); index && *index != 0) return *index;
  if (const auto index = ::if_nametoindex(std::string(interface).c_str())) return index;
  const int code = errno;
  return std::unexpected(Error{"no interface is named " + quoted(interface) + " (ip link shows them)", code});
}

std::string interface_text(std::uint32_t scope) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(scope, name) ? std::string(name) : std::to_string(scope);
}

}  // namespace

Result<Endpoint> Endpoint::unix_path(std::string_view path) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty()) return error("the path of a unix socket is empty");
  if (path.find('\0') != path.npos) return error("the path " + quoted(path) + " has a NUL byte in it");
  if (path.size() > longest)
    return error("the path " + quoted(path) + " is longer than a unix socket's can be, " + std::to_string(longest) +
                 " bytes: choose a shorter one");
  Endpoint endpoint;
  endpoint.storage_.local.sun_family = AF_UNIX;
  std::memcpy(endpoint.storage_.local.sun_path, path.data(), path.size());
  endpoint.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return endpoint;
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  constexpr std::string_view local = "unix:";
  if (text.starts_with(local)) return unix_path(text.substr(local.size()));

  const bool bracketed = text.starts_with('[');
  const auto end = bracketed ? text.find(']') : text.find(':');
  const auto colon = bracketed && end != text.npos ? end + 1 : end;
  if (colon >= text.size() || text[colon] != ':')
    return error(quoted(text) + " is not an address and port, as in \"127.0.0.1:7\" or \"[::1]:7\"");
  const auto host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  if (!bracketed && text.find(':', colon + 1) != text.npos)
    return error(quoted(text) + " is not an address and port: an ipv6 address stands in brackets, as in \"[::1]:7\"");
  if (bracketed && host.find(':') == host.npos)
    return error(quoted(text) + " is not an address and port: only an ipv6 address stands in brackets");

  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return error(quoted(text.substr(colon + 1)) + " in " + quoted(text) + " is not a port, 0 to 65535");
  return parse(host, *port);
}

Result<Endpoint> Endpoint::parse(std::string_view host, std::uint16_t port) {
  const auto percent = host.find('%');
  const std::string literal(host.substr(0, percent));
  const auto refused = [&] {
    return error(quoted(host) + " is not an address, as in 127.0.0.1 or ::1; names are not looked up");
  };
  if (literal.find('\0') != literal.npos) return refused();

  auto v4 = any_v4(port);
  if (percent == host.npos && ::inet_pton(AF_INET, literal.c_str(), &v4.storage_.v4.sin_addr) == 1) return v4;
  auto v6 = any_v6(port);
  if (::inet_pton(AF_INET6, literal.c_str(), &v6.storage_.v6.sin6_addr) != 1) return refused();
  if (percent == host.npos) return v6;

  if (!has_scope(v6.storage_.v6.sin6_addr))
    return error(quoted(host) + ": only a link-local address (fe80::/10) belongs to an interface");
  const auto scope = scope_of(host.substr(percent + 1));
  if (!scope) return std::unexpected(scope.error());
  v6.storage_.v6.sin6_scope_id = *scope;
  return v6;
}

std::string Endpoint::text() const {
  if (is_unix()) {
    const auto name = path();
    const bool is_abstract = name.starts_with('\0');
    return (is_abstract ? "unix:@" : "unix:") + escaped(is_abstract ? name.substr(1) : name);
  }
  if (!is_v4() && !is_v6()) return "unspecified";
  const auto address = address_text();
  return (is_v4() ? address : '[' + address + ']') + ':' + std::to_string(port());
}

std::string Endpoint::address_text() const {
  char literal[INET6_ADDRSTRLEN];
  if (is_v4()) return ::inet_ntop(AF_INET, &storage_.v4.sin_addr, literal, sizeof literal);
  if (!is_v6()) return text();
  ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, literal, sizeof literal);
  return scope() == 0 ? std::string(literal) : std::string(literal) + '%' + interface_text(scope());
}

}  // namespace superd
