#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "superd/net/socket.h"

namespace superd {

/// Sole owner of a descriptor of whatever kind.
using Descriptor = Socket;

/// Why a file is not to be had.
enum class FileFault : std::uint8_t {
  not_found,
  forbidden,        ///< not for everybody, or it leads out of the tree
  not_a_file,       ///< a directory, FIFO, device or socket
  not_a_directory,  ///< a file where a directory was asked for
  bad_name,         ///< no name can be like that: a NUL, "..", or too long
  exists,           ///< it is there already and may not be replaced
  not_empty,        ///< a directory that should go
  no_space,         ///< the disk, or the quota, is full; or longer than an upload may be
  would_block,      ///< only where waiting was not allowed: the disk has to be asked
  shortage,         ///< of descriptors or memory; it passes
  cut,              ///< the conversation was cut meanwhile
  failed,           ///< anything else, as a disk that cannot be read
};
[[nodiscard]] std::string_view name_of(FileFault) noexcept;
[[nodiscard]] FileFault fault_of(int code) noexcept;  ///< of an errno

/// What statx(2) tells of a file.
struct FileFacts {
  struct Moment {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;
    friend bool operator==(const Moment&, const Moment&) = default;
  };
  std::uint64_t device = 0, inode = 0, size = 0;
  Moment modified, changed;
  mode_t mode = 0;

  [[nodiscard]] bool is_file() const noexcept { return S_ISREG(mode); }
  [[nodiscard]] bool is_directory() const noexcept { return S_ISDIR(mode); }
  /// Everybody may read it; of a directory, list it and reach what is in it.
  [[nodiscard]] bool is_public() const noexcept {
    const mode_t wanted = is_directory() ? S_IROTH | S_IXOTH : S_IROTH;
    return (mode & wanted) == wanted;
  }
  [[nodiscard]] bool is_same_file(const FileFacts& other) const noexcept {
    return device == other.device && inode == other.inode;
  }
  friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

/// A name as a client gave it, made one that is looked up below a tree: without slashes at its beginning and end, "//" and
/// ".". The tree itself is ".". What has a "..", a NUL, or more than `longest_name` bytes is refused.
[[nodiscard]] std::expected<std::string, FileFault> clean_name(std::string_view name);
constexpr std::size_t longest_name = 1000;

/// A directory, and what lies in it, for clients who must not get at anything else. Opened once: the tree is served
/// wherever its directory is moved.
///
/// Copies are the same tree; processes forked from here have it too.
///
/// Names are resolved by openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS: no "..", symbolic link or mount of a
/// race can lead out. Where the kernel has no such call, names are walked component by component, and symbolic links
/// are refused altogether. What is opened is a regular file; a FIFO or device neither blocks nor is served.
///
/// All functions may be called by any thread. They block as long as the disk takes, but where `Look` says otherwise.
class Tree {
 public:
  struct Manner {
    bool public_only = true;
    bool walks = false;  ///< as if the kernel had no openat2(2)
  };
  static Result<Tree> open(const std::string& path, Manner manner);

  struct Opened {
    Descriptor file;
    FileFacts facts;
  };
  enum class Look : std::uint8_t {
    anywhere,
    in_memory,  ///< FileFault::would_block when the disk has to be asked (RESOLVE_CACHED)
  };

  /// A regular file, to be read.
  [[nodiscard]] std::expected<Opened, FileFault> open_file(const std::string& clean, Look where = Look::anywhere) const;
  /// What a file or directory is.
  [[nodiscard]] std::expected<FileFacts, FileFault> look_at(const std::string& clean) const;
  /// What the name stands for now, not confined to the tree: in one system call instead of three, to be compared with
  /// what has been opened under it, and for nothing else.
  [[nodiscard]] std::expected<FileFacts, FileFault> identify(const std::string& clean) const;
  /// May it be served?
  [[nodiscard]] std::expected<void, FileFault> check(const FileFacts&) const noexcept;

  struct Entry {
    std::string name;
    FileFacts facts;
  };
  /// What lies in a directory and may be served, sorted by name; at most `most`. Names that begin with a dot are left out.
  [[nodiscard]] std::expected<std::vector<Entry>, FileFault> list(const std::string& clean, std::size_t most) const;

  // For who writes into the tree (services/files/upload.h).
  /// The directory that a name lies in, and the last part of the name.
  struct Parent {
    Descriptor directory;
    std::string last;
  };
  [[nodiscard]] std::expected<Parent, FileFault> parent_of(const std::string& clean) const;
  [[nodiscard]] std::expected<void, FileFault> make_directory(const std::string& clean) const;
  [[nodiscard]] std::expected<void, FileFault> remove_file(const std::string& clean) const;
  [[nodiscard]] std::expected<void, FileFault> remove_directory(const std::string& clean) const;
  /// Never replaces.
  [[nodiscard]] std::expected<void, FileFault> rename(const std::string& from, const std::string& to) const;

 private:
  class Root {
   public:
    explicit Root(Descriptor directory);
    Root(const Root&) = delete;
    Root& operator=(const Root&) = delete;
    ~Root();
    [[nodiscard]] int fd() const noexcept { return directory_.fd(); }

   private:
    Descriptor directory_;
  };
  Tree(std::shared_ptr<const Root> root, Manner manner) noexcept : root_(std::move(root)), manner_(manner) {}
  [[nodiscard]] std::expected<Descriptor, int> resolve(const std::string& clean, int flags, Look where) const noexcept;
  [[nodiscard]] std::expected<Descriptor, int> walk(const std::string& clean, int flags) const noexcept;

  std::shared_ptr<const Root> root_;
  Manner manner_;
};

}  // namespace superd
