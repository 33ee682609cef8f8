#pragma once

#include "superd/services/fsp/answers.h"
#include "superd/services/fsp/done_before.h"
#include "superd/services/fsp/uploads.h"

namespace superd {

/// The commands that change files.
class FspWriting {
 public:
  FspWriting(Tree tree, FspUploads::Manner manner) : uploads_(std::move(tree), manner) {}

  [[nodiscard]] static bool has(FspCommand command) noexcept;
  /// Does it where it holds up nobody. What fails because it has been done a moment ago is done.
  task<std::expected<void, FileFault>> carry_out(const FspAsked& asked);

  /// What clients may do in a directory.
  [[nodiscard]] std::uint8_t rights() const noexcept;

 private:
  std::expected<void, FileFault> act(const FspAsked& asked);
  std::expected<void, FileFault> install(const FspAsked& asked, std::string_view name);
  std::expected<void, FileFault> rename(const FspAsked& asked, const std::string& from);

  FspUploads uploads_;
  FspDoneBefore done_;
};

}  // namespace superd
