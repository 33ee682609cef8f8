#include "superd/super/program.h"

#include <utility>

#include "superd/base/log.h"

namespace superd {

namespace {

Result<> serve_one(Host& host, const ProgramService& service, std::uint16_t port_base) {
  ServiceTable table{.services = {{.name = service.name,
                                   .handler = service.name,
                                   .listen = {},
                                   .design = service.design,
                                   .limits = service.limits,
                                   .options = service.options,
                                   .group = service.group}},
                     .port_base = port_base};
  auto& settings = table.services.front();
  for (const auto& text : service.listen) {
    auto address = ListenAddress::parse(text);
    if (!address) return std::unexpected(address.error());
    settings.listen.push_back(std::move(*address));
  }
  auto bound = bind_all(table);
  if (!bound) return error(bound.error().front());
  return host.serve(settings, service.handler, std::move(*bound));
}

}  // namespace

int serve_until_signalled(const std::vector<ProgramService>& services, std::uint16_t port_base) {
  if (auto prepared = prepare_process(); !prepared) {
    log_event(Severity::error, "cannot begin",
              {
                  {"why", prepared.error().what}
    });
    return std::to_underlying(ExitCode::try_again);
  }
  Host host;
  for (const auto& service : services) {
    if (auto served = serve_one(host, service, port_base); !served) {
      log_event(Severity::error, "cannot serve",
                {
                    {"service", service.name       },
                    {"why",     served.error().what}
      });
      return std::to_underlying(ExitCode::try_again);
    }
  }
  return std::to_underlying(run_until_signalled(host, ServiceTable{}.drain));
}

}  // namespace superd
