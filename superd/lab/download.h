#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "superd/base/error.h"
#include "superd/lab/digest.h"
#include "superd/net/socket.h"

namespace superd {

/// A file that is being fetched. It appears under its name at once, when it is whole; what has arrived so far lies beside
/// it as "NAME.VERSION.part", and is gone on with when the same version is fetched again. "-" is the standard output,
/// which cannot be taken back. One thread.
class Download {
 public:
  /// `version`: what tells this file from an older one of its name, for a file's name; empty: begins anew.
  static Result<Download> begin(const std::string& name, const std::string& version);

  Result<> add(std::span<const std::byte> bytes);
  /// All of it is there: gives it its name. `modified`: seconds since 1970; 0: now.
  Result<> finish(std::int64_t modified);
  /// What has arrived is wrong, or of no use.
  void discard() noexcept;
  /// What has arrived is wrong: from the beginning.
  Result<> begin_again();

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Was there before.
  [[nodiscard]] std::uint64_t resumed() const noexcept { return resumed_; }
  [[nodiscard]] const std::string& partial_name() const noexcept { return partial_; }
  [[nodiscard]] bool is_stream() const noexcept { return partial_.empty(); }
  /// Of all of it, once.
  [[nodiscard]] std::string digest() noexcept { return digest_.text(); }

 private:
  Download(std::string name, std::string partial, Socket file)
      : name_(std::move(name)), partial_(std::move(partial)), file_(std::move(file)) {}
  Result<> read_what_is_there();

  std::string name_, partial_;
  Socket file_;
  Digest digest_;
  std::uint64_t size_ = 0, resumed_ = 0;
};

}  // namespace superd
