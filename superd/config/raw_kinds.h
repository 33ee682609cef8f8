#pragma once

#include <string>
#include <vector>

#include "superd/config/kinds.h"
#include "superd/net/classic_bpf.h"

/// As kinds.h, of raw listeners and the services at them.
namespace superd::kinds {

struct IcmpTypes {
  static std::string wants(const Bounds&) { return R"(an array of types, as in ["echo-request"])"; }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    if (auto all = icmp_types(reading)) member = std::move(*all);
  }
  static std::string write(const std::vector<std::string>& all) { return toml_array(all); }
};

struct PacketFilter {
  static std::string wants(const Bounds&) { return "a filter program as `tcpdump -ddd` prints it"; }
  static void read(const Reading& reading, std::vector<sock_filter>& member) {
    if (auto program = packet_filter(reading)) member = std::move(*program);
  }
  static std::string write(const std::vector<sock_filter>& program) {
    return program.empty() ? std::string() : toml_string(bpf_text(program));
  }
};

struct Address {
  static std::string wants(const Bounds&) { return R"(an address, as in "10.0.0.1")"; }
  static void read(const Reading& reading, std::optional<Endpoint>& member) {
    if (const auto given = address(reading)) member = *given;
  }
  static std::string write(const std::optional<Endpoint>& address) {
    return address ? toml_string(address->address_text()) : std::string();
  }
};

struct AnsweredNetworks {
  static std::string wants(const Bounds& b) { return Networks::wants(b); }
  static void read(const Reading& reading, std::vector<Network>& member) {
    if (auto read = answered_networks(reading)) member = std::move(*read);
  }
  static std::string write(const std::vector<Network>& networks) { return Networks::write(networks); }
};

}  // namespace superd::kinds
