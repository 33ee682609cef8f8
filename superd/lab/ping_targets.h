#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "superd/base/error.h"
#include "superd/lab/probe_address.h"

namespace superd {

/// Which family a name is looked up in.
enum class Family : std::uint8_t { any, v4, v6 };

/// The hosts that a command names, by number from 0: a network costs one entry, not one for each address.
class PingTargets {
 public:
  /// As many as a /8 has; 8 bytes are kept of each.
  static constexpr std::uint32_t most = std::uint32_t{1} << 24;

  /// Each word is a name, an address, or a network as "10.1.0.0/16": all of its addresses, of an IPv4 network without
  /// the first and the last, which are no hosts (but of a /31 and a /32; RFC 3021). Looks names up. An error's code is EINVAL where the words are
  /// wrong, EAGAIN where a name may be found later.
  [[nodiscard]] static Result<PingTargets> of(std::span<const std::string> words, Family family);

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] bool has_network() const noexcept { return has_network_; }
  [[nodiscard]] bool has_v4() const noexcept { return has_v4_; }
  [[nodiscard]] bool has_v6() const noexcept { return has_v6_; }

  [[nodiscard]] AddressBits operator[](std::uint32_t index) const noexcept { return range_of(index).address(index); }
  /// The interface of a link-local address, else 0.
  [[nodiscard]] std::uint32_t scope_of(std::uint32_t index) const noexcept { return range_of(index).scope; }
  [[nodiscard]] ProbeAddress socket_address(std::uint32_t index) const noexcept;
  /// The first that has this address.
  [[nodiscard]] std::optional<std::uint32_t> index_of(const AddressBits& address) const noexcept;
  /// "10.1.2.3", or "name (10.1.2.3)" where it was named.
  [[nodiscard]] std::string name_of(std::uint32_t index) const;

 private:
  struct Range {
    AddressBits first;
    std::uint32_t count, start;  ///< numbers from `start`
    std::uint32_t scope = 0;
    std::string name;

    [[nodiscard]] AddressBits address(std::uint32_t index) const noexcept { return first + (index - start); }
  };
  Result<> add(const std::string& word, Family family);
  Result<> add_network(const std::string& word);
  Result<> add_range(Range range, const std::string& word);
  [[nodiscard]] const Range& range_of(std::uint32_t index) const noexcept;

  std::vector<Range> ranges_;
  std::uint32_t size_ = 0;
  bool has_network_ = false, has_v4_ = false, has_v6_ = false;
};

}  // namespace superd
