// Whatever a client sends to the service `tftp`: a request that is taken is bounded, and what is built reads back.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "superd/services/files/tree.h"
#include "superd/services/tftp/grant.h"
#include "superd/services/tftp/netascii.h"

using namespace superd;
using namespace superd::tftp;

namespace {

void look_at_request(std::span<const std::byte> packet) {
  const auto request = parse_request(packet);
  if (!request) {
    if (request.error().text.empty()) std::abort();
    return;
  }
  if (request->name.empty() || request->name.size() > longest_request) std::abort();
  if (const auto clean = clean_name(request->name); clean && (clean->empty() || clean->front() == '/')) std::abort();
  const FileSettings settings{.tree = "/", .block_size = 1428, .window_size = 16};
  for (const auto& grant : {grant_reading(*request, settings, 1000), grant_writing(*request, settings)}) {
    const bool is_bounded =
        grant.block_size >= 8 && grant.block_size <= 1428 && grant.window >= 1 && grant.window <= 16;
    if (!is_bounded || oack_packet(grant.told).size() > 200) std::abort();
  }
}

void look_at_text(std::span<const std::byte> text) {
  std::vector<std::byte> wire(2 * text.size()), back(2 * text.size());
  ToNetascii to;
  const auto done = to.convert(text, wire);
  if (done.read != text.size() || to.owes()) std::abort();
  FromNetascii from;
  const auto size = from.convert(std::span(wire).first(done.written), back);
  if (size != text.size() || !std::equal(text.begin(), text.end(), back.begin()) || from.owes_return()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto packet = std::as_bytes(std::span(data, size));
  look_at_request(packet);
  look_at_text(packet);
  const auto found = parse_packet(packet);
  if (!found) return 0;
  const auto head = head_of(found->opcode, found->number);
  if (!std::equal(head.begin(), head.end(), packet.begin())) std::abort();
  return 0;
}
