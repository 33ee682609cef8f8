#include "superd/super/welcome.h"

#include <fmt/format.h>

namespace superd {

namespace {

// Who ends such a conversation is the client; the others end by themselves.
bool waits_for_client(const std::string& handler) { return handler == "echo" || handler == "discard"; }

std::string line_to_try(const std::string& handler, const ListenAddress& address, const std::string& host, int port) {
  const auto at = fmt::format("{} {}", host, port);
  const std::string greeting = waits_for_client(handler) ? "echo hello | " : "";
  if (address.transport == Transport::udp) return fmt::format("echo hello | nc -u -w1 {}", at);
  if (handler == "time") return fmt::format("rdate -p -o {} {}", port, host);
  if (handler == "chargen") return fmt::format("nc {} | head -5", at);
  return fmt::format("{}nc -N {}", greeting, at);
}

}  // namespace

std::string welcome(const ServiceTable& table) {
  std::string text = "superd serves, for this machine alone:\n\n";
  for (const auto& service : table.services) {
    for (const auto& address : service.listen) {
      auto shown = address.endpoint;
      shown.set_port(static_cast<std::uint16_t>(shown.port() + table.port_base));
      auto host = shown.text();
      host.resize(host.rfind(':'));
      text +=
          fmt::format("  {:<8} {:<20} {}\n", service.name, std::string(name_of(address.transport)) + "/" + shown.text(),
                      line_to_try(service.handler, address, host, shown.port()));
    }
  }
  return text + "\nCtrl-C ends it. `superd --print-config > superd.toml` is a configuration to begin with.\n";
}

}  // namespace superd
