#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "superd/base/error.h"
#include "superd/base/mix.h"

namespace superd {

/// One end of a conversation: an IPv4 or IPv6 address with a port, or the path of a unix socket. A value: compares,
/// hashes, prints and parses. Fits where the kernel wants a sockaddr.
class Endpoint {
 public:
  Endpoint() noexcept;  ///< unspecified family
  static Endpoint from(const sockaddr* address, socklen_t size) noexcept;
  static Endpoint any_v4(std::uint16_t port) noexcept;
  static Endpoint any_v6(std::uint16_t port) noexcept;
  static Result<Endpoint> unix_path(std::string_view path);  ///< error when longer than sun_path holds

  /// "127.0.0.1:7", "[::1]:7", "[fe80::1%eth0]:7", "unix:/run/x"; literals alone, no look-ups but the interface's.
  static Result<Endpoint> parse(std::string_view text);
  /// A literal address "127.0.0.1", "::1", "fe80::1%eth0" with a port given apart.
  static Result<Endpoint> parse(std::string_view host, std::uint16_t port);

  [[nodiscard]] sa_family_t family() const noexcept { return storage_.any.sa_family; }
  [[nodiscard]] bool is_v4() const noexcept { return family() == AF_INET; }
  [[nodiscard]] bool is_v6() const noexcept { return family() == AF_INET6; }
  [[nodiscard]] bool is_unix() const noexcept { return family() == AF_UNIX; }
  [[nodiscard]] std::uint16_t port() const noexcept;  ///< host order; 0 for unix
  void set_port(std::uint16_t port) noexcept;
  [[nodiscard]] std::string_view path() const noexcept;  ///< empty but for unix; an abstract name begins with a NUL
  [[nodiscard]] std::uint32_t scope() const noexcept;    ///< interface index of a link-local v6 address, else 0

  [[nodiscard]] bool is_wildcard() const noexcept;    ///< 0.0.0.0 or ::
  [[nodiscard]] bool is_loopback() const noexcept;    ///< 127/8, ::1, mapped 127/8, unix
  [[nodiscard]] bool is_link_local() const noexcept;  ///< fe80::/10, which says little without scope()
  [[nodiscard]] bool is_multicast() const noexcept;
  [[nodiscard]] bool is_limited_broadcast() const noexcept;  ///< 255.255.255.255

  /// ::ffff:a.b.c.d becomes a.b.c.d; everything else stays. What limits and logs look at (RFC 4291, 2.5.5.2).
  [[nodiscard]] Endpoint unmapped() const noexcept;

  [[nodiscard]] const sockaddr* address() const noexcept { return &storage_.any; }
  [[nodiscard]] sockaddr* address() noexcept { return &storage_.any; }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  /// For the kernel to write into: set the size it returned with set_size().
  static constexpr socklen_t capacity = sizeof(sockaddr_un);
  void set_size(socklen_t size) noexcept { size_ = size; }
  void clear() noexcept {  ///< unspecified family again
    storage_.any.sa_family = AF_UNSPEC;
    size_ = 0;
  }

  [[nodiscard]] std::string address_text() const;  ///< without the port: "127.0.0.1", "::1", "fe80::1%eth0"
  [[nodiscard]] std::string text() const;          ///< as parse() reads it; "unix:/path", "unix:" for an unnamed peer

  friend bool operator==(const Endpoint&, const Endpoint&) noexcept;

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  } storage_;
  socklen_t size_ = 0;
};

/// The address bits by which clients are told apart and bounded, 16 bytes: all of an IPv4 address (as mapped), the
/// first 64 bits of an IPv6 one (a host has a /64 to itself; all 128 of a link-local one, whose first 64 are everyone's),
/// or the user of a unix socket's peer.
struct ClientKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static ClientKey of(const Endpoint&) noexcept;
  static ClientKey of_user(std::uint32_t uid) noexcept;
  /// The /24 or /56 a client is in: the unit of answer rates. No client has the same key.
  static ClientKey prefix_of(const Endpoint& endpoint) noexcept { return of(endpoint).prefix(); }
  [[nodiscard]] ClientKey prefix() const noexcept;  ///< a user's is the user
  [[nodiscard]] bool has_prefix() const noexcept { return prefix() != *this; }
  friend auto operator<=>(const ClientKey&, const ClientKey&) = default;
};

/// All 128 bits of an address, an IPv4 one as mapped (RFC 4291, 2.5.5.2); of a unix socket nothing.
struct AddressBits {
  std::uint64_t high = 0, low = 0;

  static AddressBits of(const Endpoint&) noexcept;
  [[nodiscard]] bool is_v4() const noexcept { return high == 0 && low >> 32 == 0xffff; }
  friend auto operator<=>(const AddressBits&, const AddressBits&) = default;
};

/// A range of addresses, "127.0.0.0/8" or "::1"; holds an address when its first bits are the same. An IPv4 address is in
/// no IPv6 network, not even "::/0".
class Network {
 public:
  /// Strict: bits behind the prefix are an error ("10.0.0.1/8"), for nobody knows which of the two was meant.
  static Result<Network> parse(std::string_view text);
  [[nodiscard]] bool holds(const Endpoint&) const noexcept;  ///< false for unix; mapped addresses count as IPv4
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Network&, const Network&) = default;

  /// The first address and how many of the 128 bits count; an IPv4 address as a mapped one.
  [[nodiscard]] std::uint64_t high() const noexcept { return high_; }
  [[nodiscard]] std::uint64_t low() const noexcept { return low_; }
  [[nodiscard]] int bits() const noexcept { return bits_; }
  [[nodiscard]] bool is_v4() const noexcept { return bits_ >= 96 && high_ == 0 && low_ >> 32 == 0xffff; }

 private:
  std::uint64_t high_ = 0, low_ = 0;  // IPv4 as mapped addresses
  int bits_ = 0;
};

}  // namespace superd

template <>
struct std::hash<superd::Endpoint> {
  std::size_t operator()(const superd::Endpoint&) const noexcept;
};

template <>
struct std::hash<superd::ClientKey> {
  std::size_t operator()(const superd::ClientKey& key) const noexcept {
    // Clients choose their addresses, but per_client bounds what one of them can put in a bucket.
    return superd::mix(key.high, key.low);
  }
};
