#include "superd/lab/live_text.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace superd {

std::size_t width_of_terminal() noexcept {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

LiveText::LiveText(bool is_quiet) : is_shown_(!is_quiet && isatty(STDERR_FILENO)) {}

void LiveText::show(std::string_view text, Time now) {
  if (!is_shown_) return;
  clear();
  const auto width = width_of_terminal() - 1;
  std::string drawn;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (lines_++ > 0) drawn += '\n';
    drawn += text.substr(0, std::min(end, width));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  fmt::print(stderr, "{}", drawn);
  std::fflush(stderr);
  drawn_ = now;
}

void LiveText::clear() noexcept {
  if (lines_ == 0) return;
  std::fputs("\r", stderr);
  if (lines_ > 1) std::fprintf(stderr, "\x1b[%dA", lines_ - 1);
  std::fputs("\x1b[J", stderr);
  std::fflush(stderr);
  lines_ = 0;
}

}  // namespace superd
