#include "superd/services/files/upload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>

namespace superd {

namespace {

// Everybody may read what was uploaded, so that it can be fetched again; nobody but its owner, while it is not whole.
constexpr mode_t whole = 0644, unfinished = 0600;

std::string provisional_name() {
  std::random_device random;
  return fmt::format(".superd-upload-{:08x}{:08x}", random(), random());
}

std::unexpected<FileFault> fault() { return std::unexpected(fault_of(errno)); }

}  // namespace

std::expected<Upload, FileFault> Upload::begin(const Tree& tree, const std::string& clean, Manner manner) {
  auto parent = tree.parent_of(clean);
  if (!parent) return std::unexpected(parent.error());
  struct stat there{};
  const bool exists = fstatat(parent->directory.fd(), parent->last.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
  if (exists && !S_ISREG(there.st_mode)) return std::unexpected(FileFault::not_a_file);
  if (exists && !manner.overwrite) return std::unexpected(FileFault::exists);
  Upload upload(std::move(*parent), manner);
  if (auto created = upload.create(); !created) return std::unexpected(created.error());
  return upload;
}

std::expected<void, FileFault> Upload::create() {
  const int directory = parent_.directory.fd();
  file_.reset(openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, unfinished));
  if (file_.is_open()) return {};
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return fault();
  const auto name = provisional_name();
  file_.reset(openat(directory, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, unfinished));
  if (!file_.is_open()) return fault();
  provisional_ = name;
  return {};
}

Upload::~Upload() {
  if (!provisional_.empty() && parent_.directory.is_open()) unlinkat(parent_.directory.fd(), provisional_.c_str(), 0);
}

std::expected<void, FileFault> Upload::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset > manner_.most || bytes.size() > manner_.most - offset) return std::unexpected(FileFault::no_space);
  while (!bytes.empty()) {
    const auto written = pwrite(file_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fault();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

std::expected<void, FileFault> Upload::finish(std::int64_t modified) {
  const timespec times[] = {
      {.tv_sec = 0,        .tv_nsec = UTIME_OMIT},
      {.tv_sec = modified, .tv_nsec = 0         },
  };
  if (modified > 0 && futimens(file_.fd(), times) != 0) return fault();
  if (fchmod(file_.fd(), whole) != 0 || fdatasync(file_.fd()) != 0) return fault();
  if (provisional_.empty()) {
    // A name that is new is had at once, and never replaces; to replace takes a second step.
    auto linked = link_as(parent_.last);
    if (linked || linked.error() != FileFault::exists || !manner_.overwrite) return linked;
    auto name = provisional_name();
    if (auto kept = link_as(name); !kept) return kept;
    provisional_ = std::move(name);
  }
  return rename_to_last();
}

std::expected<void, FileFault> Upload::link_as(const std::string& name) const {
  // Not AT_EMPTY_PATH, which takes a privilege.
  const auto path = fmt::format("/proc/self/fd/{}", file_.fd());
  if (linkat(AT_FDCWD, path.c_str(), parent_.directory.fd(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) return fault();
  return {};
}

std::expected<void, FileFault> Upload::rename_to_last() {
  const int directory = parent_.directory.fd();
  const unsigned flags = manner_.overwrite ? 0 : RENAME_NOREPLACE;
  if (renameat2(directory, provisional_.c_str(), directory, parent_.last.c_str(), flags) != 0) return fault();
  provisional_.clear();
  return {};
}

// Also what is not for everybody: whoever has written something asks for it again.
Result<std::optional<Tree>> open_uploads(const FileSettings& settings) {
  if (settings.uploads.empty()) return std::nullopt;
  auto tree = Tree::open(settings.uploads, {.public_only = false});
  if (!tree) return std::unexpected(tree.error());
  return std::move(*tree);
}

}  // namespace superd
