#include "superd/services/fsp/answers.h"

#include <string>
#include <vector>

namespace superd {

void FspAsked::answer(std::span<const std::byte> data, std::span<const std::byte> extra, std::uint32_t position) const {
  std::vector<std::byte> bytes(fsp::header + data.size() + extra.size());
  build_fsp({packet.command, key, packet.sequence, position, data, extra}, FspWay::to_client, bytes);
  request.reply(std::span<const std::byte>(bytes));
}

void FspAsked::answer_in_place(std::span<std::byte> bytes) const {
  build_fsp({packet.command, key, packet.sequence, packet.position, bytes.subspan(fsp::header), {}}, FspWay::to_client,
            bytes);
  request.reply(std::span<const std::byte>(bytes));
}

// With the position of the request and no code behind the text: libfsplib takes no other answer for one to its request.
void FspAsked::refuse(std::string_view why) const {
  const std::string text = std::string(why) + '\0';
  std::vector<std::byte> bytes(fsp::header + text.size());
  build_fsp({FspCommand::error, key, packet.sequence, packet.position, std::as_bytes(std::span(text)), {}},
            FspWay::to_client, bytes);
  request.reply(std::span<const std::byte>(bytes));
}

void FspAsked::refuse(FileFault why) const { refuse(name_of(why)); }

}  // namespace superd
