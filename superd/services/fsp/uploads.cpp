#include "superd/services/fsp/uploads.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

namespace superd {

namespace {

constexpr std::string_view prefix = ".superd-upload-fsp-";
constexpr std::size_t address_digits = 32;

// Everybody may read what was uploaded, so that it can be fetched again; nobody but its owner, while it is not whole.
constexpr mode_t whole = 0644, unfinished = 0600;

std::string provisional_name(const Endpoint& client) {
  const auto key = ClientKey::of(client);
  return fmt::format("{}{:016x}{:016x}-{}", prefix, key.high, key.low, client.port());
}

std::unexpected<FileFault> fault() { return std::unexpected(fault_of(errno)); }

std::expected<void, FileFault> write_all(int file, std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const auto written = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fault();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

bool begins_with(int file, std::span<const std::byte> bytes) {
  std::vector<std::byte> there(bytes.size());
  const auto got = pread(file, there.data(), there.size(), 0);
  return got == std::ssize(there) && std::ranges::equal(there, bytes);
}

/// The provisional files of a directory.
std::vector<std::string> all_in(int directory) {
  struct Close {
    void operator()(DIR* stream) const noexcept { closedir(stream); }
  };
  std::vector<std::string> names;
  const int readable = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (readable < 0) return names;
  const std::unique_ptr<DIR, Close> stream(fdopendir(readable));
  if (!stream) return names;
  while (const dirent* found = readdir(stream.get()))
    if (std::string_view(found->d_name).starts_with(prefix)) names.emplace_back(found->d_name);
  return names;
}

bool is_called(int directory, const std::string& name, int file) noexcept {
  struct stat named{}, held{};
  return fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(file, &held) == 0 &&
         named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

bool is_stale(int directory, const std::string& name) noexcept {
  struct stat facts{};
  if (fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return true;
  return std::time(nullptr) - facts.st_mtim.tv_sec > FspUploads::stale_seconds;
}

}  // namespace

std::expected<Descriptor, FileFault> FspUploads::root() const {
  auto parent = tree_.parent_of("any");
  if (!parent) return std::unexpected(parent.error());
  return std::move(parent->directory);
}

std::expected<void, FileFault> FspUploads::make_place(int directory, const std::string& name) const {
  auto names = all_in(directory);
  const auto remove_stale = [&](const std::string& one) {
    return is_stale(directory, one) && unlinkat(directory, one.c_str(), 0) == 0;
  };
  if (names.size() >= most_at_once / 2) std::erase_if(names, remove_stale);
  const auto address = std::string_view(name).substr(0, prefix.size() + address_digits);
  const auto own = std::ranges::count_if(names, [&](const std::string& one) { return one.starts_with(address); });
  if (names.size() >= most_at_once || static_cast<std::size_t>(own) >= most_of_one)
    return std::unexpected(FileFault::shortage);
  return {};
}

std::expected<Descriptor, FileFault> FspUploads::open(int directory, const Endpoint& client, Use use) const {
  const auto name = provisional_name(client);
  constexpr int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
  Descriptor file(openat(directory, name.c_str(), flags));
  if (file.is_open()) return file;
  if (errno != ENOENT || use != Use::begin) return fault();
  if (auto place = make_place(directory, name); !place) return std::unexpected(place.error());
  // Another block of the same client may have made it meanwhile.
  file.reset(openat(directory, name.c_str(), flags | O_CREAT, unfinished));
  if (!file.is_open()) return fault();
  return file;
}

std::expected<Descriptor, FileFault> FspUploads::hold(int directory, const Endpoint& client, Use use) const {
  for (int tries = 0; tries < 3; ++tries) {
    auto file = open(directory, client, use);
    if (!file) return file;
    if (flock(file->fd(), use == Use::install ? LOCK_EX : LOCK_SH) != 0) return fault();
    if (is_called(directory, provisional_name(client), file->fd())) return file;
  }
  return std::unexpected(FileFault::shortage);
}

std::expected<void, FileFault> FspUploads::write(const Endpoint& client, std::uint64_t offset,
                                                 std::span<const std::byte> bytes) {
  if (offset > manner_.most || bytes.size() > manner_.most - offset) return std::unexpected(FileFault::no_space);
  const auto directory = root();
  if (!directory) return std::unexpected(directory.error());
  const auto file = hold(directory->fd(), client, offset == 0 ? Use::begin : Use::go_on);
  if (!file) return std::unexpected(file.error());
  if (offset == 0) {
    // One that was sent twice, and comes late, must not take away what has been written behind it.
    if (!bytes.empty() && begins_with(file->fd(), bytes)) return {};
    if (ftruncate(file->fd(), 0) != 0) return fault();
  }
  return write_all(file->fd(), offset, bytes);
}

std::expected<void, FileFault> FspUploads::install(const Endpoint& client, const std::string& clean,
                                                   std::int64_t modified) {
  const auto directory = root();
  if (!directory) return std::unexpected(directory.error());
  const auto target = tree_.parent_of(clean);
  if (!target) return std::unexpected(target.error());
  const auto file = hold(directory->fd(), client, Use::install);
  if (!file) return std::unexpected(file.error());
  const timespec times[] = {
      {.tv_sec = 0,        .tv_nsec = UTIME_OMIT},
      {.tv_sec = modified, .tv_nsec = 0         },
  };
  if (modified > 0 && futimens(file->fd(), times) != 0) return fault();
  if (fchmod(file->fd(), whole) != 0 || fdatasync(file->fd()) != 0) return fault();
  const auto name = provisional_name(client);
  const unsigned flags = manner_.overwrite ? 0 : RENAME_NOREPLACE;
  if (renameat2(directory->fd(), name.c_str(), target->directory.fd(), target->last.c_str(), flags) == 0) return {};
  const int code = errno;
  // Until it gets a name, it is as it was.
  (void)fchmod(file->fd(), unfinished);
  return std::unexpected(fault_of(code));
}

std::expected<void, FileFault> FspUploads::cancel(const Endpoint& client) {
  const auto directory = root();
  if (!directory) return std::unexpected(directory.error());
  if (unlinkat(directory->fd(), provisional_name(client).c_str(), 0) != 0 && errno != ENOENT) return fault();
  return {};
}

}  // namespace superd
