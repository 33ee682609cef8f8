#pragma once

#include <linux/filter.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "superd/net/endpoint.h"

namespace superd {

/// What a raw listener receives of its protocol, and how it sends. Plain values.
struct RawOptions {
  /// Of ICMP, as icmp_type_of() reads them; empty: all.
  std::vector<std::string> icmp_types;
  /// What passes besides (net/classic_bpf.h). Its offset 0 is the header of IPv4, and of IPv6 what comes behind the
  /// header; empty: everything.
  std::vector<sock_filter> filter;
  /// Packets of this address alone (connect(2)).
  std::optional<Endpoint> peer;
  /// What is sent begins with a header of IPv4 (IP_HDRINCL, raw(7)).
  bool own_header = false;

  bool operator==(const RawOptions& other) const noexcept {
    const auto is_same = [](const sock_filter& a, const sock_filter& b) {
      return a.code == b.code && a.jt == b.jt && a.jf == b.jf && a.k == b.k;
    };
    return icmp_types == other.icmp_types && peer == other.peer && own_header == other.own_header &&
           std::ranges::equal(filter, other.filter, is_same);
  }
};

}  // namespace superd
