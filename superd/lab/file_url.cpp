#include "superd/lab/file_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "superd/base/words.h"

namespace superd {

namespace {

constexpr std::uint16_t fsp_port = 21, tftp_port = 69;

std::unexpected<Error> complaint(std::string_view text, std::string_view why) {
  return error("\"" + escaped(text) + "\" is no address of a file: " + std::string(why) +
               "; fsp://HOST[:PORT]/PATH or tftp://HOST[:PORT]/PATH");
}

std::optional<std::string> without_percents(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || read.ptr != digits.data() + 2 || byte == 0) return {};
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

std::optional<std::uint16_t> port_in(std::string_view digits) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || port == 0) return {};
  return port;
}

struct Authority {
  std::string_view host, port;
};

// "HOST", "HOST:PORT", "[::1]", "[::1]:PORT"
std::optional<Authority> split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return {};
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return {};
    return Authority{text.substr(1, end - 1), rest.empty() ? rest : rest.substr(1)};
  }
  const auto colon = text.find(':');
  if (colon == text.npos) return Authority{text, {}};
  return Authority{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Result<FileUrl> FileUrl::parse(std::string_view text) {
  FileUrl url;
  auto rest = text;
  if (rest.starts_with("fsp://")) {
    url.scheme = Scheme::fsp;
    url.port = fsp_port;
  } else if (rest.starts_with("tftp://")) {
    url.scheme = Scheme::tftp;
    url.port = tftp_port;
  } else {
    return complaint(text, "it begins with neither fsp:// nor tftp://");
  }
  rest.remove_prefix(rest.find("//") + 2);

  const auto slash = rest.find('/');
  auto authority = rest.substr(0, slash);
  auto path = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
  if (const auto at = authority.rfind('@'); at != authority.npos) {
    if (url.scheme != Scheme::fsp) return complaint(text, "tftp has no passwords");
    url.password = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const auto parts = split(authority);
  if (!parts || parts->host.empty()) return complaint(text, "it has no host");
  url.host = parts->host;
  if (!parts->port.empty() || authority.ends_with(':')) {
    const auto port = port_in(parts->port);
    if (!port) return complaint(text, "the port is no number from 1 to 65535");
    url.port = *port;
  }
  if (url.scheme == Scheme::tftp) {
    if (const auto mode = path.rfind(";mode="); mode != path.npos) {
      if (path.substr(mode) != ";mode=octet") return complaint(text, "the mode can only be octet");
      path = path.substr(0, mode);
    }
  }
  auto plain = without_percents(path);
  if (!plain) return complaint(text, "a % is followed by two hexadecimal digits that are not 00");
  url.path = std::move(*plain);
  return url;
}

std::string FileUrl::text() const {
  const bool is_v6 = host.contains(':');
  const auto usual = scheme == Scheme::fsp ? fsp_port : tftp_port;
  std::string text = scheme == Scheme::fsp ? "fsp://" : "tftp://";
  text += is_v6 ? "[" + host + "]" : host;
  if (port != usual) text += ":" + std::to_string(port);
  return text + "/" + escaped(path);
}

std::string_view FileUrl::last_part() const noexcept {
  const std::string_view all = path;
  return all.substr(all.rfind('/') + 1);
}

}  // namespace superd
