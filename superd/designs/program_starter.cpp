#include "superd/designs/program_starter.h"

#include <fcntl.h>

#include <new>

#include "superd/base/log.h"

namespace superd {

namespace {

// So that a service without its program is told of, and does not fill the log.
constexpr Seconds between_lines{10};

}  // namespace

Result<std::unique_ptr<ProgramStarter>> ProgramStarter::make(HostedService& hosted, Engine& engine, Brood& brood) {
  auto launcher = Launcher::make(hosted.program->launch, hosted.name);
  if (!launcher) return error("service " + hosted.name + ": " + launcher.error().what);
  if (!launcher->left_out().empty())
    log_event(Severity::warning, "program is confined less than wanted",
              {
                  {"service", hosted.name         },
                  {"why",     launcher->left_out()}
    });
  if (launcher->has_paths()) {
    const int version = landlock_version();
    log_event(Severity::info, "paths are confined",
              {
                  {"service",  hosted.name                  },
                  {"landlock", version                      },
                  {"but_for",  landlock_leaves_open(version)}
    });
  }
  return std::unique_ptr<ProgramStarter>(new ProgramStarter(hosted, engine, brood, std::move(*launcher)));
}

ProgramStarter::ProgramStarter(HostedService& hosted, Engine& engine, Brood& brood, Launcher&& launcher)
    : hosted_(hosted),
      engine_(engine),
      brood_(brood),
      launcher_(std::move(launcher)),
      nowhere_(::open("/dev/null", O_RDWR | O_CLOEXEC)) {}

// A pipe for its lines when it is needed first: a service that nobody asks for costs none.
int ProgramStarter::errors_of(int socket) {
  switch (hosted_.program->errors) {
    case Program::Errors::log: break;
    case Program::Errors::client: return socket < 0 ? nowhere_.fd() : socket;
    case Program::Errors::nowhere: return nowhere_.fd();
  }
  if (!errors_) errors_.emplace(engine_, hosted_);
  return errors_->writing_end() < 0 ? nowhere_.fd() : errors_->writing_end();
}

Brood::Born ProgramStarter::start(int socket, std::span<const std::string> environment, Seat& seat, EndOfChild& end,
                                  std::span<const int> listeners) noexcept try {
  const int stream = socket < 0 ? nowhere_.fd() : socket;
  const int errors = errors_of(socket);
  Error why;
  const auto born = brood_.launch(hosted_, hosted_.program->waits ? -1 : socket, seat, end, why,
                                  [&] { return launcher_.start({stream, stream, errors}, environment, listeners); });
  if (born == Brood::Born::not_at_all) note_failure(why);
  return born;
} catch (const std::bad_alloc&) {
  return Brood::Born::later;
}

void ProgramStarter::note_failure(const Error& why) noexcept {
  const Time now = Clock::now();
  if (logged_ != Time{} && now - logged_ < between_lines) {
    ++not_logged_;
    return;
  }
  log_event(Severity::error, "program not started",
            {
                {"service", hosted_.name},
                {"why",     why.what    },
                {"unsaid",  not_logged_ }
  });
  logged_ = now;
  not_logged_ = 0;
}

}  // namespace superd
