// Lines into descriptors: stderr and files.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <string_view>

#include "superd/base/clock.h"
#include "superd/base/log_line.h"
#include "superd/super/log_sink.h"

namespace superd {

namespace {

class StreamSink final : public LogSink {
 public:
  StreamSink(Socket file, LogFormat format) : file_(std::move(file)), format_(format) {
    struct stat status{};
    is_file_ = fstat(fd(), &status) == 0 && S_ISREG(status.st_mode);
    has_colour_ = !is_file_ && isatty(fd()) == 1;
  }

  void add(const LogEntry& entry) override {
    if (format_ == LogFormat::text) return append_text_line(lines_, entry, has_colour_);
    append_json(lines_, entry);
    lines_ += '\n';
  }

  std::uint64_t flush() override {
    std::string_view left = lines_;
    // After a line that was cut short by a full disk, the next one begins in a line of its own.
    if (is_torn_ && !left.empty() && write_some("\n")) is_torn_ = false;
    while (!left.empty() && !is_torn_) {
      const auto part = next_part(left);
      const auto written = write_some(part);
      left.remove_prefix(written);
      if (written < part.size()) {
        is_torn_ = written > 0 && part[written - 1] != '\n';
        break;
      }
    }
    const auto lost = std::ranges::count(left, '\n');
    lines_.clear();
    return static_cast<std::uint64_t>(lost);
  }

  [[nodiscard]] int descriptor() const noexcept override { return fd(); }

 private:
  [[nodiscard]] int fd() const noexcept { return file_.is_open() ? file_.fd() : STDERR_FILENO; }

  // All at once into a file. A pipe takes up to PIPE_BUF as one, so that others who write to it do not come in between.
  [[nodiscard]] std::string_view next_part(std::string_view left) const noexcept {
    if (is_file_ || left.size() <= PIPE_BUF) return left;
    const auto end = left.substr(0, PIPE_BUF).rfind('\n');
    return left.substr(0, end == left.npos ? PIPE_BUF : end + 1);
  }

  /// How many bytes were taken; all of them, unless there is no room for long.
  std::size_t write_some(std::string_view part) noexcept {
    std::size_t done = 0;
    while (done < part.size()) {
      if (!has_room()) break;
      const auto size = write(fd(), part.data() + done, part.size() - done);
      if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (size <= 0) break;
      done += static_cast<std::size_t>(size);
    }
    return done;
  }

  // Only the first time that nobody reads is waited; when somebody does again, it is written again.
  bool has_room() noexcept {
    if (is_file_) return true;
    const Time until = Clock::now() + (is_blocked_ ? Millis(0) : log_patience);
    pollfd watched{.fd = fd(), .events = POLLOUT};
    for (;;) {
      const auto left = std::max(std::chrono::ceil<Millis>(until - Clock::now()), Millis(0));
      const int ready = poll(&watched, 1, static_cast<int>(left.count()));
      if (ready < 0 && errno == EINTR) continue;
      is_blocked_ = ready == 0;
      return !is_blocked_;
    }
  }

  const Socket file_;
  const LogFormat format_;
  bool is_file_ = false, has_colour_ = false;
  bool is_torn_ = false;     ///< its last line has no end yet
  bool is_blocked_ = false;  ///< nobody reads
  std::string lines_;
};

}  // namespace

Result<Socket> open_log_file(const std::string& path) {
  // O_NONBLOCK: a FIFO without a reader is an error, and not waited for.
  Socket file(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640));
  if (!file.is_open()) {
    const int code = errno;
    auto failure = system_error("open log file " + path, code);
    if (code == ENOENT) failure.error().what += ": make its directory, or name another one in log_to";
    if (code == EACCES || code == EROFS)
      failure.error().what += ": let superd write there, or name another place in log_to";
    return failure;
  }
  return file;
}

std::unique_ptr<LogSink> make_stream_sink(Socket file, LogFormat format) {
  return std::make_unique<StreamSink>(std::move(file), format);
}

}  // namespace superd
