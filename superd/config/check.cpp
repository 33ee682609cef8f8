#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "superd/base/words.h"
#include "superd/config/draft.h"
#include "superd/config/keys.h"
#include "superd/config/values.h"
#include "superd/engines/engines.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// One service and where it stands, while it is looked at.
struct Looked {
  const ServiceSettings& service;
  const ServiceLines& lines;
  Complaints& complaints;

  void complain(std::string_view key, std::string_view what) const { complaints.add(lines.of(key), key, what); }
};

bool can_serve(const ServiceEntry& handler, const ListenAddress& address) {
  if (address.transport == Transport::raw)
    return std::ranges::find(handler.packets, address.endpoint.port()) != handler.packets.end();
  return is_stream(address.transport) ? handler.streams : handler.datagrams;
}

void check_handler(const Looked& at) {
  const auto& [service, lines, complaints] = at;
  if (lines.keys.contains("program")) return;  // complained of when it was read
  if (service.program.waits) at.complain("wait", "is of a program: write program too, or leave it out");
  const auto* handler = find_service(service.handler);
  if (!handler) {
    // A handler that is given was complained of when it was read: this is a service's name.
    const auto* wanted = find_key("handler");
    return at.complain("handler", fmt::format("there is no \"{}\", which is the service's name: write handler = {}",
                                              service.handler, wanted->wants(wanted->bounds)));
  }
  if (handler->serves_files && service.settings.files.tree.empty() && !lines.keys.contains("files"))
    at.complain("files", R"(is missing: write the directory that is served, as in files = "/srv/tftp")");
  if (!service.settings.addresses.empty() && handler->name != "icmp-echo")
    at.complain("addresses", "is of icmp-echo alone: leave it out");
  for (std::size_t i = 0; i < service.listen.size(); ++i) {
    const auto& address = service.listen[i];
    if (can_serve(*handler, address)) continue;
    complaints.add(lines.listen[i], "listen",
                   fmt::format("\"{}\": {} is not served over {}: write {}", escaped(address.text, 120), handler->name,
                               address.transport == Transport::raw ? "this protocol" : name_of(address.transport),
                               some_transports(*handler)));
  }
}

/// What superd cannot see to where it does not take the clients in.
void check_waiting(const Looked& at) {
  const auto& now = at.service.limits;
  const Limits none;
  const auto refuse = [&](std::string_view key, bool is_given) {
    if (is_given)
      at.complain(key, "cannot hold for a program with wait = true, which takes clients in by itself: leave one out");
  };
  refuse("allow", now.allow != none.allow);
  refuse("deny", now.deny != none.deny);
  refuse("hours", now.hours != none.hours);
  refuse("max_load", now.max_load != none.max_load);
  refuse("banner", now.banner != none.banner);
}

void check_program(const Looked& at) {
  const auto& [service, lines, complaints] = at;
  if (service.program.waits) check_waiting(at);
  if (lines.keys.contains("handler"))
    at.complain("handler", "is given beside program: a client has the one or the other, so leave one out");
  if (const auto* design = find_design(service.design.design); design && !design->runs_programs)
    at.complain("design", fmt::format("\"{}\" runs no programs: write \"processes\", or leave it out", design->name));
  if (service.program.pass == Program::Pass::listen_fds && !service.program.waits)
    at.complain("pass", "\"listen_fds\" is of a program that takes clients in by itself: write wait = true too");
  for (std::size_t i = 0; i < service.listen.size(); ++i) {
    const auto& address = service.listen[i];
    if (is_stream(address.transport) || service.program.waits) continue;
    complaints.add(lines.listen[i], "listen",
                   fmt::format("\"{}\": a program has the socket of its datagrams to itself: write wait = true",
                               escaped(address.text, 120)));
  }
}

void check_listeners(const Looked& at, std::uint16_t port_base, bool is_whole) {
  const auto& [service, lines, complaints] = at;
  if (!lines.keys.contains("listen") && is_whole) at.complain("listen", fmt::format("is missing: {}", listen_remedy));
  for (std::size_t i = 0; i < service.listen.size(); ++i) {
    const auto& address = service.listen[i];
    const int port = address.endpoint.port() + base_for(address, port_base);
    if (port > 65'535)
      complaints.add(lines.listen[i], "listen",
                     fmt::format("\"{}\": with port_base it is port {}, and 65535 is the last: lower one of the two",
                                 escaped(address.text, 120), port));
  }
}

void check_design_of(const Looked& at) {
  const auto checked = check_design(at.service.design);
  if (!checked) at.complain(at.lines.keys.contains("engine") ? "engine" : "design", checked.error().what);
}

/// The settings of a design that differ: "design and loops".
std::string differences(const DesignSettings& a, const DesignSettings& b) {
  std::string names;
  const auto add = [&names](bool is_same, std::string_view name) {
    if (!is_same) names.append(names.empty() ? "" : " and ").append(name);
  };
  add(a.design == b.design, "design");
  add(a.engine == b.engine, "engine");
  add(a.loops == b.loops, "loops");
  add(a.workers == b.workers, "workers");
  add(a.threads == b.threads, "threads");
  add(a.deadline == b.deadline, "deadline");
  add(a.queue == b.queue, "queue");
  return names;
}

void check_groups(const Draft& draft, Complaints& complaints) {
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < draft.lines.size(); ++i) {
    const auto& service = draft.table.services[i];
    if (service.group.empty()) continue;
    const auto& other = draft.table.services[first.try_emplace(service.group, i).first->second];
    if (service.design == other.design) continue;
    complaints.add(draft.lines[i].of("group"), "group",
                   fmt::format("{} and {} of group \"{}\" share threads, but not {}: give them the same", other.name,
                               service.name, service.group, differences(other.design, service.design)));
  }
}

/// Engines without a bound of their own.
std::string unbounded_engines() {
  std::vector<std::string_view> names;
  for (const auto& engine : engines())
    if (engine.capacity == 0) names.push_back(engine.name);
  return quoted_choice(names);
}

/// Descriptors that a service may have open at once. A datagram has none of its own, but where files are served: a socket
/// and a file, beside those of the table.
std::int64_t descriptors_of(const ServiceSettings& service) {
  const auto listeners = static_cast<std::int64_t>(service.listen.size());
  const bool has_streams = std::ranges::any_of(service.listen, is_stream, &ListenAddress::transport);
  const auto* handler = find_service(service.handler);
  if (handler && handler->serves_files)
    return listeners + 2 * service.limits.level + service.settings.files.table_files;
  return listeners + (has_streams ? service.limits.level : 0);
}

/// An engine that watches low descriptors alone must be enough for all its services together: they share the numbers.
void check_capacity(const Draft& draft, Complaints& complaints) {
  // Standard streams, wake-ups of loops, and a handful of spare ones.
  constexpr std::int64_t own = 16;
  std::map<std::string_view, std::int64_t> sums;
  for (std::size_t i = 0; i < draft.lines.size(); ++i) {
    const auto& service = draft.table.services[i];
    const auto* design = find_design(service.design.design);
    const auto* engine = find_engine(service.design.engine);
    if (!design->uses_engine || engine->capacity == 0) continue;
    auto& sum = sums.try_emplace(engine->name, own).first->second;
    const auto before = sum;
    sum += descriptors_of(service);
    if (sum <= engine->capacity || before > engine->capacity) continue;
    complaints.add(
        draft.lines[i].of("level"), "level",
        fmt::format("with {} the services under engine \"{}\" may need {} descriptors, and it watches those "
                    "below {} alone: lower their levels by {}, or take engine = {}",
                    service.name, engine->name, sum, engine->capacity, sum - engine->capacity, unbounded_engines()));
  }
}

}  // namespace

void check(const Draft& draft, Complaints& complaints) {
  if (draft.table.services.empty() && draft.is_whole && complaints.empty())
    complaints.add(1, "service", R"(there is none: write one, as in [service.echo] with listen = ["tcp/7"])");
  for (std::size_t i = 0; i < draft.lines.size(); ++i) {
    const Looked at{draft.table.services[i], draft.lines[i], complaints};
    at.service.has_program() ? check_program(at) : check_handler(at);
    check_design_of(at);
    check_listeners(at, draft.table.port_base, draft.is_whole);
    check_raw(at.service, at.lines, complaints);
    check_multicast(at.service, at.lines, complaints);
  }
  check_addresses(draft, complaints);
  check_groups(draft, complaints);
  check_capacity(draft, complaints);
}

}  // namespace superd
