#include "superd/lab/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "superd/lab/digest.h"

namespace superd {

Result<LocalFile> LocalFile::open(const std::string& name) {
  Socket file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  if (!file.is_open() || fstat(file.fd(), &facts) != 0) return system_error("read " + name);
  if (!S_ISREG(facts.st_mode)) return error("read " + name + ": not a regular file");
  LocalFile local(name, std::move(file));
  local.size_ = static_cast<std::uint64_t>(facts.st_size);
  local.modified_ = facts.st_mtim.tv_sec;
  return local;
}

Result<std::vector<std::byte>> LocalFile::read(std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::size_t filled = 0;
  while (filled < size) {
    const auto got = pread(file_.fd(), &bytes[filled], size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read " + name_);
    if (got == 0) return std::unexpected(Error{"read " + name_ + ": it has become shorter", ESTALE});
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::string> LocalFile::digest() {
  Digest digest;
  constexpr std::uint64_t part = 64 * 1024;
  for (std::uint64_t at = 0; at < size_; at += part) {
    const auto bytes = read(at, std::min(part, size_ - at));
    if (!bytes) return std::unexpected(bytes.error());
    digest.add(*bytes);
  }
  return digest.text();
}

}  // namespace superd
