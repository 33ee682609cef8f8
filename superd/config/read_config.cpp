#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "superd/base/words.h"
#include "superd/config/config.h"
#include "superd/config/parse.h"
#include "superd/net/socket.h"

namespace superd {

namespace {

// Ten thousand services with every key written out are about fifty.
constexpr std::size_t most_mebibytes = 64;
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

std::unexpected<Error> unreadable() { return error(errno_text(errno) + ": name a file that can be read"); }

}  // namespace

Result<FileText> read_source(const std::string& path) {
  // Not blocking: a pipe without a writer would keep us waiting in open(2).
  const Socket file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file.is_open() && errno == ENXIO) return error("is a socket or no device at all: name a file");
  struct stat status{};
  if (!file.is_open() || ::fstat(file.fd(), &status) != 0) return unreadable();
  if (!S_ISREG(status.st_mode)) return error(fmt::format("is {}: name a file", kind_of(status.st_mode)));
  auto text = read_all(file.fd());
  if (!text) return std::unexpected(text.error());
  return FileText{
      std::move(*text), {status.st_dev, status.st_ino}
  };
}

Result<Included> find_included(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    return error(errno_text(errno) + ": name a file or a directory that can be read");
  if (!S_ISDIR(status.st_mode)) return Included{{path}, false};
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return error(errno_text(errno) + ": name a directory that can be read");
  Included found{{}, true};
  while (const auto* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.') || !name.ends_with(".toml")) continue;
    found.paths.push_back(fmt::format("{}{}{}", path, path.ends_with('/') ? "" : "/", name));
  }
  std::ranges::sort(found.paths);
  return found;
}

std::string beside(const std::string& from, const std::string& path) {
  const auto slash = from.rfind('/');
  return path.starts_with('/') || slash == from.npos ? path : from.substr(0, slash + 1) + path;
}

std::expected<ServiceTable, std::vector<std::string>> read_config(const std::string& path,
                                                                  std::vector<std::string>* skipped) {
  const auto file = read_source(path);
  if (file) return parse_sources({path, file->text, file->identity}, skipped);
  return std::unexpected(std::vector{fmt::format("{}: {}", escaped(path, 400), file.error().what)});
}

}  // namespace superd
