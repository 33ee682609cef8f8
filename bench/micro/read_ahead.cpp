/// read_ahead: what it is worth to read ahead for a client that reads a file block by block, 1428 bytes each.
///
/// open         opens, reads and closes for each block, as a server without a table does
/// read         reads from an open file that is in the page cache
/// buffer       the same through a buffer of 16 KiB, which slide 8 has beside each entry
/// cold         from an open file that is not in the page cache, read to its end
/// cold-advised the same when the kernel is told of the next 128 KiB in time (POSIX_FADV_WILLNEED)
///
/// Prints the shortest of some runs, in nanoseconds a block.

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t block = 1428, blocks = 20'000, ahead = 128 * 1024;
constexpr int runs = 7;
std::array<char, block> into;

class TestFile {
 public:
  TestFile() {
    std::string name = "read-ahead-XXXXXX";
    fd_ = ::mkstemp(name.data());
    path_ = name;
    const std::vector<char> content(block * blocks, 'x');
    if (fd_ < 0 || ::pwrite(fd_, content.data(), content.size(), 0) < 0 || ::fsync(fd_) != 0) std::exit(111);
  }
  ~TestFile() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  int fd() const { return fd_; }
  const char* path() const { return path_.c_str(); }
  void drop_from_cache() const { ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

 private:
  int fd_;
  std::string path_;
};

void read_block(int fd, std::size_t n) {
  const iovec part{into.data(), into.size()};
  const auto offset = static_cast<off_t>(n * block);
  if (::preadv2(fd, &part, 1, offset, RWF_NOWAIT) < 0 && ::pread(fd, into.data(), block, offset) < 0) std::exit(111);
}

template <typename Once>
double shortest(const TestFile& file, bool is_cold, Once once) {
  double nanos = 1e18;
  for (int i = 0; i < runs; ++i) {
    if (is_cold) file.drop_from_cache();
    const auto begin = Clock::now();
    for (std::size_t n = 0; n < blocks; ++n) once(n);
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    nanos = std::min(nanos, took.count() / blocks);
  }
  return nanos;
}

double time_of(std::string_view what, const TestFile& file) {
  const int fd = file.fd();
  if (what == "open")
    return shortest(file, false, [&](std::size_t n) {
      const int opened = ::open(file.path(), O_RDONLY | O_CLOEXEC);
      read_block(opened, n);
      ::close(opened);
    });
  if (what == "buffer") {
    static std::array<char, 16 * 1024> buffer;
    std::size_t begin = 0, filled = 0;
    return shortest(file, false, [&](std::size_t n) {
      const auto offset = n * block;
      if (offset < begin || offset + block > begin + filled) {
        filled = static_cast<std::size_t>(::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset)));
        begin = offset;
      }
      std::memcpy(into.data(), buffer.data() + (offset - begin), block);
    });
  }
  if (what == "cold-advised")
    return shortest(file, true, [&](std::size_t n) {
      const auto offset = static_cast<off_t>(n * block);
      if (n % (ahead / 2 / block) == 0) ::posix_fadvise(fd, offset, ahead, POSIX_FADV_WILLNEED);
      read_block(fd, n);
    });
  return shortest(file, what == "cold", [&](std::size_t n) { read_block(fd, n); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  constexpr std::string_view all[] = {"open", "read", "buffer", "cold", "cold-advised"};
  if (std::find(std::begin(all), std::end(all), what) == std::end(all)) {
    std::fprintf(stderr, "usage: read_ahead open|read|buffer|cold|cold-advised\n");
    return 100;
  }
  const TestFile file;
  std::printf("{\"ns\": %.1f}\n", time_of(what, file));
  return 0;
}
