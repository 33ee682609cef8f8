#include <sys/select.h>

#include <algorithm>

#include "superd/engines/engines.h"
#include "superd/engines/readiness.h"

namespace superd {

namespace {

/// select(2), the chapter's (slides 18, 46 to 54). Descriptors below FD_SETSIZE alone; a higher one written into an
/// fd_set would overwrite what stands behind it.
class Select final : public Readiness {
 public:
  Select() {
    FD_ZERO(&reading_);
    FD_ZERO(&writing_);
    (void)watch(wake_fd(), Interest::nothing, Interest::reading);
  }

 private:
  int watch(int fd, Interest, Interest wanted) noexcept override {
    if (fd >= FD_SETSIZE) return engine_full;
    FD_CLR(fd, &reading_);
    FD_CLR(fd, &writing_);
    if (wanted == Interest::reading) FD_SET(fd, &reading_);
    if (wanted == Interest::writing) FD_SET(fd, &writing_);
    highest_ = std::max(highest_, fd);
    return 0;
  }

  int collect(Time until) noexcept override {
    fd_set readable = reading_;
    fd_set writable = writing_;
    timeval timeout{};
    if (until != Time{} && until != never) {
      const auto left = std::max(until - Clock::now(), Clock::duration::zero());
      const auto micros = std::chrono::ceil<std::chrono::microseconds>(left).count();
      timeout = {micros / 1'000'000, micros % 1'000'000};
    }
    int left = select(highest_ + 1, &readable, &writable, nullptr, until == never ? nullptr : &timeout);
    if (left < 0) return errno;
    for (int fd = 0; left > 0 && fd <= highest_; ++fd) {
      const bool can_read = FD_ISSET(fd, &readable);
      const bool can_write = FD_ISSET(fd, &writable);
      if (!can_read && !can_write) continue;
      left -= can_read + can_write;
      ready_.push_back({fd, can_read, can_write});
    }
    return 0;
  }

  fd_set reading_, writing_;
  int highest_ = 0;
};

}  // namespace

Result<std::unique_ptr<Engine>> make_select() { return std::make_unique<Select>(); }

}  // namespace superd
