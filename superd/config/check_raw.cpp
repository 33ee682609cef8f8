#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>

#include "superd/base/words.h"
#include "superd/config/draft.h"
#include "superd/net/icmp_types.h"

namespace superd {

namespace {

bool is_raw(const ListenAddress& address) noexcept { return address.transport == Transport::raw; }

bool is_icmp(const ListenAddress& address) noexcept {
  const auto& endpoint = address.endpoint;
  return is_raw(address) && endpoint.port() == (endpoint.is_v6() ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP});
}

/// The keys of raw listeners that are set, and what is wrong with each.
class Check {
 public:
  Check(const ServiceSettings& service, const ServiceLines& lines, Complaints& complaints)
      : service_(service), raw_(service.options.raw), lines_(lines), complaints_(complaints) {}

  void run() const {
    if (std::ranges::none_of(service_.listen, is_raw)) {
      refuse("icmp_types", !raw_.icmp_types.empty());
      refuse("filter", !raw_.filter.empty());
      refuse("peer", raw_.peer.has_value());
      return refuse("own_header", raw_.own_header);
    }
    if (!raw_.icmp_types.empty() && std::ranges::none_of(service_.listen, is_icmp))
      complain("icmp_types", R"(is of ICMP: listen at "raw/icmp" or "raw6/icmp6", or write a filter)");
    for (const auto& address : service_.listen) look_at(address);
  }

 private:
  void refuse(std::string_view key, bool is_set) const {
    if (is_set) complain(key, R"(is of raw listeners: write one, as in listen = ["raw/icmp"], or leave it out)");
  }

  void look_at(const ListenAddress& address) const {
    const bool is_v6 = address.endpoint.is_v6();
    if (raw_.own_header && is_v6)
      complain("own_header", fmt::format("is of IPv4, and \"{}\" is of IPv6: leave one of the two out", address.text));
    if (raw_.peer && raw_.peer->is_v6() != is_v6)
      complain("peer", fmt::format("\"{}\" sends nothing to \"{}\": they are of different versions of IP",
                                   raw_.peer->address_text(), address.text));
    if (!is_icmp(address)) return;
    for (const auto& type : raw_.icmp_types)
      if (!icmp_type_of(type, is_v6 ? IcmpVersion::v6 : IcmpVersion::v4))
        complain("icmp_types", fmt::format("\"{}\" is not received at \"{}\": {} has no such type", type, address.text,
                                           is_v6 ? "ICMPv6" : "ICMP"));
  }

  void complain(std::string_view key, std::string_view what) const { complaints_.add(lines_.of(key), key, what); }

  const ServiceSettings& service_;
  const RawOptions& raw_;
  const ServiceLines& lines_;
  Complaints& complaints_;
};

}  // namespace

void check_raw(const ServiceSettings& service, const ServiceLines& lines, Complaints& complaints) {
  Check(service, lines, complaints).run();
}

}  // namespace superd
