#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/base/error.h"

namespace superd {

/// Which file is which, wherever it is and however it is called; all 0: of none.
struct FileIdentity {
  std::uint64_t device = 0, number = 0;
  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

struct FileText {
  std::string text;
  FileIdentity identity;
};

/// A file of a configuration. Never blocks on what is no regular file, and reads no more than a configuration can be.
[[nodiscard]] Result<FileText> read_source(const std::string& path);

/// What an include names: itself when it is a file; or the *.toml of a directory that are not hidden, in the order of
/// their names.
struct Included {
  std::vector<std::string> paths;
  bool is_directory = false;
};
[[nodiscard]] Result<Included> find_included(const std::string& path);

/// `path` as a file at `from` means it.
[[nodiscard]] std::string beside(const std::string& from, const std::string& path);

}  // namespace superd
