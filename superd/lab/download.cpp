#include "superd/lab/download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

namespace superd {

Result<Download> Download::begin(const std::string& name, const std::string& version) {
  if (name == "-") return Download(name, {}, Socket(dup(STDOUT_FILENO)));
  const auto partial = name + (version.empty() ? "" : "." + version) + ".part";
  const int anew = version.empty() ? O_TRUNC : 0;
  // Not through a link that somebody else has put there.
  Socket file(::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | anew, 0666));
  if (!file.is_open()) return system_error("write " + partial);
  Download download(name, partial, std::move(file));
  if (auto read = download.read_what_is_there(); !read) return std::unexpected(read.error());
  return download;
}

Result<> Download::read_what_is_there() {
  std::vector<std::byte> room(64 * 1024);
  while (true) {
    const auto got = ::read(file_.fd(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read " + partial_);
    if (got == 0) break;
    digest_.add(std::span(room).first(static_cast<std::size_t>(got)));
    size_ += static_cast<std::size_t>(got);
  }
  resumed_ = size_;
  return {};
}

Result<> Download::add(std::span<const std::byte> bytes) {
  digest_.add(bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    const auto written = ::write(file_.fd(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write " + (is_stream() ? "the standard output" : partial_));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> Download::begin_again() {
  if (is_stream() && size_ > 0) return error("what has been written to the standard output cannot be taken back");
  if (!is_stream() && (ftruncate(file_.fd(), 0) != 0 || lseek(file_.fd(), 0, SEEK_SET) != 0))
    return system_error("begin " + partial_ + " again");
  digest_ = {};
  size_ = resumed_ = 0;
  return {};
}

Result<> Download::finish(std::int64_t modified) {
  if (is_stream()) return {};
  if (modified > 0) {
    const timespec times[2] = {
        {0,        UTIME_OMIT},
        {modified, 0         }
    };
    futimens(file_.fd(), times);  // a file that is whole, but looks new, is better than none
  }
  if (fdatasync(file_.fd()) != 0) return system_error("write " + partial_);
  if (::rename(partial_.c_str(), name_.c_str()) != 0) return system_error("name " + partial_ + " " + name_);
  return {};
}

void Download::discard() noexcept {
  if (!is_stream()) ::unlink(partial_.c_str());
}

}  // namespace superd
