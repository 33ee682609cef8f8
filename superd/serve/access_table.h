#pragma once

#include <cstdint>
#include <vector>

#include "superd/net/endpoint.h"

namespace superd {

/// What a list of networks says of an address.
enum class Opinion : std::uint8_t { none, allow, deny };

struct JudgedNetwork {
  Network network;
  Opinion opinion = Opinion::none;
};

/// Networks with an opinion each, for look-ups: of those that hold an address the longest one counts, and of two equal
/// ones the one that denies. All overlaps are resolved when it is made, into ranges that lie side by side; a look-up is
/// a binary search. Immutable: any thread may look.
class AccessTable {
 public:
  AccessTable() = default;
  explicit AccessTable(std::vector<JudgedNetwork> networks);

  [[nodiscard]] Opinion of(const AddressBits&) const noexcept;

 private:
  /// Ranges: each begins at its start, and ends where the next one begins.
  template <class Address>
  struct Ranges {
    std::vector<Address> starts;
    std::vector<Opinion> opinions;

    void add(const Address& start, Opinion opinion);
    [[nodiscard]] Opinion of(const Address& address) const noexcept;
  };

  Ranges<std::uint32_t> v4_;
  Ranges<AddressBits> v6_;
};

}  // namespace superd
