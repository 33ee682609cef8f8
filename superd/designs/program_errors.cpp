#include "superd/designs/program_errors.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "superd/base/log.h"

namespace superd {

namespace {

// Longer ones are cut into pieces.
constexpr std::size_t longest_line = 1000;

}  // namespace

ProgramErrors::ProgramErrors(Engine& engine, HostedService& hosted) : engine_(engine), hosted_(hosted) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  theirs_.reset(ends[0]);
  ours_.reset(ends[1]);
  // Our end alone: a pipe's ends are two open files.
  fcntl(theirs_.fd(), F_SETFL, O_NONBLOCK);
  listen();
}

// A pipeful in each turn: who writes without end must not keep us from everything else.
detached ProgramErrors::listen() {
  reading_.fd = theirs_.fd();
  for (;;) {
    reading_.kind = Kind::readable;
    co_await Wait(engine_, reading_);
    read_some();
  }
}

void ProgramErrors::read_some() {
  std::array<char, 65536> room;
  const ssize_t size = read(theirs_.fd(), room.data(), room.size());
  if (size > 0) take({room.data(), static_cast<std::size_t>(size)});
}

void ProgramErrors::take(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto part = text.substr(0, std::min(end, longest_line - begun_.size()));
    begun_ += part;
    text.remove_prefix(part.size());
    const bool is_whole = text.starts_with('\n');
    if (is_whole) text.remove_prefix(1);
    if (!is_whole && begun_.size() < longest_line) continue;
    log_line(begun_);
    begun_.clear();
  }
}

void ProgramErrors::log_line(std::string_view line) noexcept {
  if (!hosted_.board.log().may_log_program(hosted_.name, hosted_.counters.unlogged, Clock::now())) return;
  log_event(Severity::warning, "program says",
            {
                {"service", hosted_.name},
                {"line",    line        }
  });
}

}  // namespace superd
