#include "superd/super/pid_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace superd {

namespace {

std::string text_in(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  std::string number(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  number.resize(std::min(number.find('\n'), number.size()));
  return number;
}

}  // namespace

// flock(2) belongs to the open file, which processes forked from here do not keep: the lock is gone when we are.
Result<PidFile> PidFile::create(const std::string& path) {
  PidFile made;
  made.file_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!made.file_.is_open()) return system_error("pid_file: open " + path);
  if (flock(made.file_.fd(), LOCK_EX | LOCK_NB) != 0)
    return error("pid_file: " + path + " belongs to process " + text_in(made.file_.fd()) +
                 ", which runs: stop it, or write another pid_file");
  const auto text = std::to_string(getpid()) + "\n";
  if (ftruncate(made.file_.fd(), 0) != 0 ||
      pwrite(made.file_.fd(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return system_error("pid_file: write " + path);
  made.path_ = path;
  return made;
}

PidFile::~PidFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace superd
