#include "superd/base/watched_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "superd/base/words.h"

namespace superd {

namespace {

// Clocks of file systems tick more often than this.
constexpr time_t fresh_for = 2;

bool is_same(const timespec& a, const timespec& b) noexcept { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

struct OpenFile {
  explicit OpenFile(const std::string& path) noexcept
      // Not blocked by a pipe that nobody writes to.
      : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd >= 0) close(fd);
  }
  const int fd;
};

}  // namespace

WatchedFile::Stamp WatchedFile::stamp_of(const struct stat& status) noexcept {
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

bool WatchedFile::are_equal(const Stamp& a, const Stamp& b) noexcept {
  return a.device == b.device && a.file == b.file && a.size == b.size && is_same(a.modified, b.modified) &&
         is_same(a.changed, b.changed);
}

bool WatchedFile::has_changed() const noexcept {
  struct stat status{};
  if (was_fresh_ || stat(path_.c_str(), &status) != 0) return true;
  return !are_equal(stamp_of(status), seen_);
}

Result<std::string> WatchedFile::read(std::size_t most) {
  const auto doing = [&] { return "read " + escaped(path_); };
  was_fresh_ = true;
  const OpenFile file(path_);
  if (file.fd < 0) return system_error(doing());
  struct stat status{};
  if (fstat(file.fd, &status) != 0) return system_error(doing());
  seen_ = stamp_of(status);
  was_fresh_ = seen_.changed.tv_sec + fresh_for > time(nullptr);
  if (!S_ISREG(status.st_mode)) return error(doing() + ": it is no regular file");
  if (static_cast<std::size_t>(status.st_size) > most)
    return error(doing() + ": it is longer than " + std::to_string(most) + " bytes");

  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(doing());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace superd
