#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "superd/config/document.h"
#include "superd/config/service_table.h"

namespace superd {

/// Where the file says what a service is.
struct ServiceLines {
  int header = 1;
  std::map<std::string_view, int> keys;  ///< of its own and of [defaults]
  std::vector<int> listen;               ///< of each address that was understood

  /// Where to complain of a key: where it is given, else at the header.
  [[nodiscard]] int of(std::string_view key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? header : found->second;
  }
};

/// A configuration as it was read key by key, not yet looked at as a whole.
struct Draft {
  ServiceTable table;
  std::vector<ServiceLines> lines;  ///< of table.services
  bool is_whole = true;             ///< nothing was hidden by a syntax error
};

/// Complains of what no key is wrong about by itself: what is missing, given twice, or does not go together.
void check(const Draft& draft, Complaints& complaints);

/// The part of check() that is about addresses which cannot be bound beside each other.
void check_addresses(const Draft& draft, Complaints& complaints);

}  // namespace superd
