// Whatever comes from the network: no view reaches beyond the bytes it was made from, and what is written reads back.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "superd/net/icmp.h"
#include "superd/net/icmp_names.h"
#include "superd/net/igmp.h"
#include "superd/net/internet_checksum.h"
#include "superd/net/ip_header.h"

using namespace superd;

namespace {

using Bytes = std::span<const std::byte>;

void must(bool holds) {
  if (!holds) std::abort();
}

void lies_within(Bytes part, Bytes whole) {
  must(part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

void look_at_v4(Bytes packet) {
  const auto view = Ipv4View::parse(packet);
  if (!view) return;
  lies_within(view->header(), packet);
  lies_within(view->payload(), packet);
  must(view->total_length() == view->header().size() + view->payload().size());
  std::vector<std::byte> again(60);
  const Ipv4Fields fields{.source = view->source(),
                          .destination = view->destination(),
                          .protocol = view->protocol(),
                          .ttl = view->ttl(),
                          .tos = view->tos(),
                          .id = view->id(),
                          .dont_fragment = view->dont_fragment(),
                          .more_fragments = view->more_fragments(),
                          .fragment_offset = view->fragment_offset(),
                          .options = view->options()};
  const auto header = write_ipv4_header(fields, view->payload().size(), again);
  must(header == view->header().size());
  const auto read = Ipv4View::parse_quoted(Bytes(again).first(*header));
  must(read && read->has_right_checksum() && read->destination() == view->destination());
}

void look_at_icmp(IcmpVersion version, Bytes message) {
  const auto view = IcmpView::parse_verified(version, message);
  if (!view) return;
  lies_within(view->body(), message);
  lies_within(view->extensions(), message);
  must(!icmp_name(version, view->type(), view->code()).empty());
  if (const auto quoted = view->quoted()) {
    lies_within(quoted->transport, message);
    if (quoted->has_ports()) must(quoted->source_port() + quoted->destination_port() >= 0);
    if (quoted->has_echo()) must(quoted->id() + quoted->sequence() >= 0);
  }
  std::vector<std::byte> reply(message.begin(), message.end());
  if (version == IcmpVersion::v4 && IcmpView::parse_v4(message) && turn_into_echo_reply(version, reply))
    must(IcmpView::parse_v4(reply)->is_echo_reply());
}

void look_at_igmp(Bytes message) {
  std::vector<std::byte> right(message.begin(), message.end());
  if (right.size() >= 4) {  // a checksum that is right lets more of them in
    store16(0, &right[2]);
    store16(internet_checksum(right), &right[2]);
  }
  const auto view = IgmpView::parse(right);
  if (!view) return;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < view->sources().size(); ++i) must(view->sources()[i].is_v4());
  for (const auto record : view->records()) {
    ++seen;
    for (std::size_t i = 0; i < record.sources.size(); ++i) must(record.sources[i].is_v4());
    must(record.group.is_v4() && !(record.is_join() && record.is_leave()));
  }
  must(seen == view->records().size() && view->version() >= 1 && view->version() <= 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto packet = std::as_bytes(std::span(data, size));
  look_at_v4(packet);
  if (const auto view = Ipv6View::parse_quoted(packet)) lies_within(view->payload(), packet);
  look_at_icmp(IcmpVersion::v4, packet);
  look_at_icmp(IcmpVersion::v6, packet);
  look_at_igmp(packet);
  return 0;
}
