#include "superd/lab/trace_text.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <iterator>

#include "superd/base/words.h"
#include "superd/lab/json_text.h"
#include "superd/net/icmp_names.h"

namespace superd {
namespace {

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

/// What is not said of a router that did what was expected.
std::string what_of(const TraceTarget& target, const TraceArrival& arrival) {
  if (arrival.is_answer) return "";
  if (arrival.local_error != 0) return "this host: " + errno_text(arrival.local_error);
  const auto version = target.is_v6() ? IcmpVersion::v6 : IcmpVersion::v4;
  return icmp_name(version, arrival.type, arrival.code);
}

bool is_worth_telling(const TraceTarget& target, const TraceArrival& arrival) {
  if (arrival.is_answer || (arrival.from == target.address && target.protocol == TraceProtocol::udp)) return false;
  return arrival.local_error != 0 || arrival.type != (target.is_v6() ? icmp_v6::time_exceeded : icmp_v4::time_exceeded);
}

template <class Item>
void add_once(std::vector<Item>& items, const Item& item) {
  if (std::ranges::find(items, item) == items.end()) items.push_back(item);
}

std::string named(const AddressBits& address, const HopNames& names) {
  const auto name = names.find(address);
  return name == names.end() ? text_of(address) : escaped(name->second) + " (" + text_of(address) + ")";
}

std::string hop_text(const Tracer& tracer, const TraceHop& hop, const HopNames& names) {
  std::vector<AddressBits> from;
  std::vector<std::string> told;
  std::string times;
  for (const auto& probe : hop.probes) {
    if (!probe.arrival) {
      times += " *";
      continue;
    }
    if (probe.arrival->local_error == 0) add_once(from, probe.arrival->from);
    if (is_worth_telling(tracer.target(), *probe.arrival)) add_once(told, what_of(tracer.target(), *probe.arrival));
    fmt::format_to(std::back_inserter(times), " {:.3f}", milliseconds(probe.time));
  }
  std::string text;
  for (const auto& address : from) text += (text.empty() ? "" : ", ") + named(address, names);
  const auto sent = hop.sent();
  fmt::format_to(std::back_inserter(text), "  {} % lost ", sent == 0 ? 0 : 100 * (sent - hop.answered()) / sent);
  text += times + " ms";
  for (const auto& word : told) text += "  " + word;
  return text;
}

std::string probe_json(const Tracer& tracer, const TraceProbe& probe, const HopNames& names) {
  if (!probe.arrival) return fmt::format("{{\"sent\": {}, \"address\": null}}", probe.tries);
  const auto& arrival = *probe.arrival;
  auto text =
      fmt::format("{{\"sent\": {}, \"address\": {}, \"ms\": {:.6f}", probe.tries,
                  arrival.local_error == 0 ? json_string(text_of(arrival.from)) : "null", milliseconds(probe.time));
  if (const auto name = names.find(arrival.from); name != names.end())
    text += ", \"name\": " + json_string(escaped(name->second));
  if (!arrival.is_answer) text += ", \"error\": " + json_string(what_of(tracer.target(), arrival));
  return text + "}";
}

}  // namespace

HopNames names_of(const Tracer& tracer) {
  HopNames names;
  for (std::size_t i = 0; i < tracer.length(); ++i) {
    for (const auto& probe : tracer.hop(i).probes) {
      if (!probe.arrival || probe.arrival->local_error != 0 || names.contains(probe.arrival->from)) continue;
      const auto address = probe_address(probe.arrival->from, 0);
      char name[NI_MAXHOST];
      if (::getnameinfo(&address.any, address.size(), name, sizeof name, nullptr, 0, NI_NAMEREQD) == 0)
        names.emplace(probe.arrival->from, name);
    }
  }
  return names;
}

std::string trace_text(const Tracer& tracer, const HopNames& names) {
  std::string text;
  const auto length = tracer.length();
  for (std::size_t i = 0; i < length; ++i) {
    if (tracer.hop(i).answered() > 0) {
      fmt::format_to(std::back_inserter(text), "{:>2}  {}\n", i + 1, hop_text(tracer, tracer.hop(i), names));
      continue;
    }
    auto end = i + 1;
    while (end < length && tracer.hop(end).answered() == 0) ++end;
    const auto which = end == i + 1 ? fmt::format("{:>2}", end) : fmt::format("{:>2}-{}", i + 1, end);
    fmt::format_to(std::back_inserter(text), "{}  no answer\n", which);
    i = end - 1;
  }
  return text;
}

std::string trace_json(const Tracer& tracer, const HopNames& names, const std::string& target, const char* how) {
  auto text =
      fmt::format("{{\n  \"target\": \"{}\", \"address\": \"{}\", \"by\": \"{}\", \"reached\": {},\n  \"hops\": [",
                  escaped(target), text_of(tracer.target().address), how, tracer.has_reached());
  for (std::size_t i = 0; i < tracer.length(); ++i) {
    const auto& hop = tracer.hop(i);
    fmt::format_to(std::back_inserter(text), "{}\n    {{\"hop\": {}, \"sent\": {}, \"answered\": {}, \"probes\": [",
                   i == 0 ? "" : ",", i + 1, hop.sent(), hop.answered());
    for (std::size_t which = 0; which < hop.probes.size(); ++which)
      text += (which == 0 ? "" : ", ") + probe_json(tracer, hop.probes[which], names);
    text += "]}";
  }
  return text + "\n  ]\n}\n";
}

}  // namespace superd
