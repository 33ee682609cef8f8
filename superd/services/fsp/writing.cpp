#include "superd/services/fsp/writing.h"

#include "superd/base/big_endian.h"

namespace superd {

bool FspWriting::has(FspCommand command) noexcept {
  switch (command) {
    case FspCommand::upload:
    case FspCommand::install:
    case FspCommand::delete_file:
    case FspCommand::delete_directory:
    case FspCommand::make_directory:
    case FspCommand::rename: return true;
    default: return false;
  }
}

std::uint8_t FspWriting::rights() const noexcept {
  std::uint8_t rights = fsp_right::add | fsp_right::make_directory;
  if (uploads_.may_overwrite()) rights |= fsp_right::remove | fsp_right::rename;
  return rights;
}

task<std::expected<void, FileFault>> FspWriting::carry_out(const FspAsked& asked) {
  std::expected<void, FileFault> outcome;
  const auto work = [&] { outcome = act(asked); };
  const bool goes_on = co_await asked.request.run_in_background(work);
  if (!goes_on) co_return std::unexpected(FileFault::cut);
  if (asked.packet.command == FspCommand::upload) co_return outcome;
  const auto& from = asked.request.from();
  const auto bytes = asked.request.bytes();
  const auto now = Clock::now();
  if (outcome)
    done_.note(from, bytes, now);
  else if (done_.has(from, bytes, now) &&
           (outcome.error() == FileFault::not_found || outcome.error() == FileFault::exists))
    outcome = {};
  co_return outcome;
}

std::expected<void, FileFault> FspWriting::act(const FspAsked& asked) {
  const auto& packet = asked.packet;
  if (packet.command == FspCommand::upload) return uploads_.write(asked.request.from(), packet.position, packet.data);
  const auto name = name_of_fsp(packet.data).name;
  if (packet.command == FspCommand::install) return install(asked, name);

  const auto clean = clean_name(name);
  if (!clean) return std::unexpected(clean.error());
  if (packet.command == FspCommand::make_directory) return uploads_.tree().make_directory(*clean);
  if (!uploads_.may_overwrite()) return std::unexpected(FileFault::forbidden);
  if (packet.command == FspCommand::delete_file) return uploads_.tree().remove_file(*clean);
  if (packet.command == FspCommand::delete_directory) return uploads_.tree().remove_directory(*clean);
  return rename(asked, *clean);
}

std::expected<void, FileFault> FspWriting::install(const FspAsked& asked, std::string_view name) {
  if (name.empty()) return uploads_.cancel(asked.request.from());
  const auto clean = clean_name(name);
  if (!clean) return std::unexpected(clean.error());
  const auto& extra = asked.packet.extra;
  return uploads_.install(asked.request.from(), *clean, extra.size() >= 4 ? load32(extra.data()) : 0);
}

std::expected<void, FileFault> FspWriting::rename(const FspAsked& asked, const std::string& from) {
  const auto to = clean_name(name_of_fsp(asked.packet.extra).name);
  if (!to) return std::unexpected(to.error());
  return uploads_.tree().rename(from, *to);
}

}  // namespace superd
