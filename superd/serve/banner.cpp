#include "superd/serve/banner.h"

#include <sys/socket.h>

#include <new>
#include <utility>

#include "superd/base/log.h"

namespace superd {

Result<std::unique_ptr<Banner>> Banner::make(std::string_view value, bool may_be_missing) {
  auto made = std::make_unique<Banner>();
  if (!value.starts_with('@')) {
    made->text_ = value;
    return made;
  }
  made->file_ = std::make_unique<WatchedFile>(std::string(value.substr(1)));
  const auto read = made->read();
  if (!read && !may_be_missing) return std::unexpected(read.error());
  if (!read) made->note_failure(read.error().what, "none is sent until it can be read");
  return made;
}

Result<> Banner::read() {
  auto text = file_->read(longest);
  if (!text) return std::unexpected(text.error());
  const std::lock_guard lock(mutex_);
  std::swap(text_, *text);
  return {};
}

void Banner::refresh() noexcept try {
  const std::unique_lock alone(refreshing_, std::try_to_lock);
  if (!file_ || !alone.owns_lock() || !file_->has_changed()) return;
  const auto read = this->read();
  if (read)
    failure_.clear();
  else
    note_failure(read.error().what, "it is sent as it was");
} catch (const std::bad_alloc&) {
}

// Once, not once a second.
void Banner::note_failure(const std::string& why, std::string_view then) {
  if (std::exchange(failure_, why) == why) return;
  log_event(Severity::error, "banner not read",
            {
                {"why",  why },
                {"then", then}
  });
}

std::size_t Banner::send_to(int fd) const noexcept {
  const std::lock_guard lock(mutex_);
  if (text_.empty()) return 0;
  const auto sent = send(fd, text_.data(), text_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

}  // namespace superd
