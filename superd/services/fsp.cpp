#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "superd/services/files/file_table.h"
#include "superd/services/files/upload.h"
#include "superd/services/fsp/answers.h"
#include "superd/services/fsp/directory.h"
#include "superd/services/fsp/facts.h"
#include "superd/services/fsp/keys.h"
#include "superd/services/fsp/listings.h"
#include "superd/services/fsp/strangers.h"
#include "superd/services/fsp/writing.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// FSP version 2, a file server without connections: each request names the file and the place in it, and whatever is
/// remembered between two of them only saves work. Who has not shown the key of its address is answered seldom.
class Fsp final : public Service {
 public:
  Fsp(const FileSettings& settings, std::shared_ptr<ServedFiles> files, std::optional<Tree> uploads)
      : largest_(
            std::clamp<std::size_t>(static_cast<std::size_t>(settings.block_size), fsp::payload, fsp::largest_payload)),
        files_(std::move(files)) {
    if (uploads)
      writing_.emplace(std::move(*uploads),
                       FspUploads::Manner{.overwrite = settings.overwrite, .most = settings.upload_size});
  }

  bool recognises(const Endpoint& from, std::span<const std::byte> request) noexcept override {
    const auto packet = parse_fsp(request, FspWay::to_server);
    if (!packet) return false;
    const auto now = Clock::now();
    if (!keys_.is_right(packet->key, from, now)) return strangers_.admit(from, now);
    strangers_.recognise(from);
    return true;
  }

  task<> serve(Datagram& request) override {
    const auto packet = parse_fsp(request.bytes(), FspWay::to_server);
    auto& counters = request.hosted().counters;
    if (!packet || !request.is_known()) {
      (packet ? counters.dropped_key : counters.dropped_malformed).add();
      co_return;
    }
    const auto now = Clock::now();
    const FspAsked asked{request, *packet, keys_.key_for(request.from(), now)};
    // Who may be forged gets no more at once than the protocol's own size.
    const auto most = keys_.is_right(packet->key, request.from(), now) ? largest_ : fsp::payload;
    switch (packet->command) {
      case FspCommand::version: answer_version(asked); break;
      case FspCommand::bye: asked.answer(); break;
      case FspCommand::stat: co_await answer_stat(asked); break;
      case FspCommand::get_file: co_await answer_file(asked, most); break;
      case FspCommand::get_directory: co_await answer_directory(asked, most); break;
      case FspCommand::get_protection: co_await answer_protection(asked); break;
      default: co_await answer_change(asked);
    }
  }

 private:
  void answer_version(const FspAsked& asked) const {
    constexpr std::string_view text("superd\0", 7);
    FspVersion version{.flags = FspVersion::takes_extra, .payload = static_cast<std::uint16_t>(largest_)};
    if (!writing_) version.flags |= FspVersion::read_only;
    const auto extra = bytes_of(version);
    asked.answer(std::as_bytes(std::span(text)), extra, static_cast<std::uint32_t>(extra.size()));
  }

  // A file by the table of open ones, because who asks for its size is about to read it; what is none is looked at.
  task<> answer_stat(const FspAsked& asked) {
    std::array<std::byte, FspStat::bytes> told{};
    const auto name = clean_name(name_of_fsp(asked.packet.data).name);
    if (name) {
      const std::string& clean = *name;
      const FileFound found = co_await files_->use(asked.request, clean);
      if (found) {
        write_fsp_stat(fsp_stat_of(found->facts), told.data());
      } else if (found.error() == FileFault::not_a_file) {
        std::expected<FileFacts, FileFault> facts;
        const auto look = [&] { facts = files_->tree().look_at(clean); };
        const bool goes_on = co_await asked.request.run_in_background(look);
        if (goes_on && facts) write_fsp_stat(fsp_stat_of(*facts), told.data());
      }
    }
    asked.answer(told);
  }

  task<> answer_file(const FspAsked& asked, std::size_t most) {
    const auto name = clean_name(name_of_fsp(asked.packet.data).name);
    if (!name) {
      asked.refuse(name.error());
      co_return;
    }
    const std::string& clean = *name;
    const FileFound found = co_await files_->use(asked.request, clean);
    if (!found) {
      asked.refuse(found.error());
      co_return;
    }
    const std::size_t wanted = wanted_size_of_fsp(asked.packet.extra).value_or(fsp::payload);
    std::vector<std::byte> bytes(fsp::header + std::min(wanted, most));
    const auto room = std::span(bytes).subspan(fsp::header);
    const FileUse& use = *found;
    const std::uint64_t offset = asked.packet.position;
    const auto filled = co_await files_->read(asked.request, use, offset, room);
    if (!filled) {
      asked.refuse(fault_of(filled.error()));
      co_return;
    }
    asked.answer_in_place(std::span(bytes).first(fsp::header + *filled));
  }

  task<> answer_directory(const FspAsked& asked, std::size_t most) {
    const auto name = clean_name(name_of_fsp(asked.packet.data).name);
    if (!name) {
      asked.refuse(name.error());
      co_return;
    }
    const std::size_t wanted = wanted_size_of_fsp(asked.packet.extra).value_or(fsp::payload);
    // Entries are padded to four bytes, and so have blocks to be.
    const auto block = std::clamp(wanted, smallest_fsp_block, most) / 4 * 4;
    const std::string& clean = *name;
    auto listing = listings_.find(clean, block, Clock::now());
    if (!listing) {
      std::expected<FspListings::Bytes, FileFault> made = std::unexpected(FileFault::cut);
      const auto make = [&] { made = FspListings::make(files_->tree(), clean, block); };
      const bool goes_on = co_await asked.request.run_in_background(make);
      if (!goes_on || !made) {
        asked.refuse(goes_on ? made.error() : FileFault::cut);
        co_return;
      }
      listing = std::move(*made);
      listings_.keep(clean, block, listing, Clock::now());
    }
    const std::size_t position = asked.packet.position;
    // Who does not see the end in a block that is full asks for one more.
    if (position < listing->size() && position % block != 0) {
      asked.refuse("a directory is read block by block, from its beginning");
      co_return;
    }
    const auto rest = std::span(*listing).subspan(std::min(position, listing->size()));
    asked.answer(rest.first(std::min(rest.size(), block)), {}, asked.packet.position);
  }

  task<> answer_protection(const FspAsked& asked) {
    const auto name = clean_name(name_of_fsp(asked.packet.data).name);
    std::expected<FileFacts, FileFault> facts = std::unexpected(FileFault::bad_name);
    if (name) {
      const auto look = [&] { facts = files_->tree().look_at(*name); };
      const bool goes_on = co_await asked.request.run_in_background(look);
      if (!goes_on) co_return;
    }
    if (facts && !facts->is_directory()) facts = std::unexpected(FileFault::not_a_directory);
    if (!facts) {
      asked.refuse(facts.error());
      co_return;
    }
    tell_rights(asked);
  }

  void tell_rights(const FspAsked& asked) const {
    const std::uint8_t rights = fsp_right::fetch | fsp_right::list | (writing_ ? writing_->rights() : 0);
    const std::array bits{static_cast<std::byte>(rights)};
    asked.answer({}, bits, bits.size());
  }

  task<> answer_change(const FspAsked& asked) {
    if (!FspWriting::has(asked.packet.command)) {
      asked.refuse("no such command");
      co_return;
    }
    if (!writing_) {
      asked.refuse("this server is read-only");
      co_return;
    }
    const auto done = co_await writing_->carry_out(asked);
    listings_.forget_all();
    if (!done)
      asked.refuse(done.error());
    else if (asked.packet.command == FspCommand::make_directory)
      tell_rights(asked);
    else
      asked.answer({}, {}, asked.packet.position);
  }

  const std::size_t largest_;  // of the payload of an answer
  const std::shared_ptr<ServedFiles> files_;
  std::optional<FspWriting> writing_;
  const FspKeys keys_;
  FspStrangers strangers_;
  FspListings listings_;
};

}  // namespace

Result<std::shared_ptr<Service>> make_fsp(const HandlerSettings& told) {
  const auto& settings = told.files;
  auto files = ServedFiles::open(settings);
  if (!files) return std::unexpected(files.error());
  auto uploads = open_uploads(settings);
  if (!uploads) return std::unexpected(uploads.error());
  return std::make_shared<Fsp>(settings, std::move(*files), std::move(*uploads));
}

}  // namespace superd
