#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "superd/base/words.h"
#include "superd/config/config.h"
#include "superd/net/socket.h"

namespace superd {

namespace {

// A thousand services with every key written out are less than two.
constexpr std::size_t most_mebibytes = 16;
constexpr std::size_t most_bytes = most_mebibytes << 20;

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a pipe";
    default: return "a device";
  }
}

Result<std::string> read_all(int fd) {
  std::string text(64 << 10, '\0');
  for (std::size_t size = 0;;) {
    const auto got = ::read(fd, &text[size], text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error(errno_text(errno) + ": name a file that can be read");
    size += static_cast<std::size_t>(got);
    if (got == 0) {
      text.resize(size);
      return text;
    }
    if (size > most_bytes) return error(fmt::format("is longer than {} MiB: name a configuration", most_mebibytes));
    if (size == text.size()) text.resize(text.size() * 2);
  }
}

Result<std::string> read_file(const std::string& path) {
  // Not blocking: a pipe without a writer would keep us waiting in open(2).
  const Socket file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file.is_open() && errno == ENXIO) return error("is a socket or no device at all: name a file");
  if (!file.is_open()) return error(errno_text(errno) + ": name a file that can be read");
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) return error(errno_text(errno) + ": name a file that can be read");
  if (!S_ISREG(status.st_mode)) return error(fmt::format("is {}: name a file", kind_of(status.st_mode)));
  return read_all(file.fd());
}

}  // namespace

std::expected<ServiceTable, std::vector<std::string>> read_config(const std::string& path) {
  const auto text = read_file(path);
  if (text) return parse_config(*text, path);
  return std::unexpected(std::vector{fmt::format("{}: {}", escaped(path, 400), text.error().what)});
}

}  // namespace superd
