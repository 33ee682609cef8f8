#pragma once

#include <optional>
#include <span>

#include "superd/services/files/file_settings.h"
#include "superd/services/files/tree.h"

namespace superd {

/// A file that a client writes. It has no name until it is whole: who breaks off, and a server that dies, leave nothing
/// behind (O_TMPFILE; where the file system has none, a file ".superd-upload-..." that is removed). Then it appears at once,
/// with all its bytes on the disk (fdatasync(2)), because the client is told that it is there.
///
/// One thread at a time. All functions block as long as the disk takes.
class Upload {
 public:
  struct Manner {
    bool overwrite = false;  ///< it may replace a file
    std::uint64_t most = 0;  ///< bytes
  };
  /// For a file of this name below the tree, in a directory that is there.
  static std::expected<Upload, FileFault> begin(const Tree& tree, const std::string& clean, Manner manner);
  Upload(Upload&&) noexcept = default;
  Upload& operator=(Upload&&) noexcept = delete;
  ~Upload();

  std::expected<void, FileFault> write(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Gives it its name. To be called once, and nothing afterwards. `modified`: seconds since 1970, or 0 for now.
  std::expected<void, FileFault> finish(std::int64_t modified = 0);

  [[nodiscard]] std::uint64_t most() const noexcept { return manner_.most; }

 private:
  Upload(Tree::Parent parent, Manner manner) noexcept : parent_(std::move(parent)), manner_(manner) {}
  std::expected<void, FileFault> create();
  [[nodiscard]] std::expected<void, FileFault> link_as(const std::string& name) const;
  [[nodiscard]] std::expected<void, FileFault> rename_to_last();

  Tree::Parent parent_;
  Manner manner_;
  Descriptor file_;
  std::string provisional_;  // its name meanwhile; empty: none
};

/// The tree where clients may write; none where the settings have none.
[[nodiscard]] Result<std::optional<Tree>> open_uploads(const FileSettings&);

}  // namespace superd
