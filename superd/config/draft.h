#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
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
  std::vector<ServiceLines> lines;                 ///< of table.services
  std::unordered_map<std::string, int> headers{};  ///< of all services that were read, where each is first given
  bool is_whole = true;                            ///< nothing was hidden by a syntax error
};

/// What a file's services have that say nothing else.
struct Defaults {
  ServiceSettings settings;
  ServiceLines lines;
};

/// What a file includes, and where it says so.
struct Include {
  std::string path;
  int line;
};

/// Reads a file's document into a draft, which may have services of other files already. `defaults` are those of the file
/// that includes this one, if any does, and then its own besides. Returns what it includes.
[[nodiscard]] std::vector<Include> read_sections(const Document&, Draft&, Complaints&, Defaults& defaults,
                                                 bool is_main);

/// Complains of what no key is wrong about by itself: what is missing, given twice, or does not go together.
void check(const Draft& draft, Complaints& complaints);

/// The part of check() that is about the keys of raw listeners.
void check_raw(const ServiceSettings& service, const ServiceLines& lines, Complaints& complaints);

/// The part of check() that is about the keys of groups and broadcasts, and of beacons.
void check_multicast(const ServiceSettings& service, const ServiceLines& lines, Complaints& complaints);

/// What beacons tell of that are not told what.
void announce_services(ServiceTable& table);

/// The part of check() that is about addresses which cannot be bound beside each other.
void check_addresses(const Draft& draft, Complaints& complaints);

}  // namespace superd
