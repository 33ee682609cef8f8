#pragma once

#include <string>
#include <vector>

#include "superd/config/kinds.h"

/// As kinds.h, of groups and beacons.
namespace superd::kinds {

struct Memberships {
  static std::string wants(const Bounds&) { return R"(an array of groups, as in ["239.1.2.3%eth0"])"; }
  static void read(const Reading& reading, std::vector<Membership>& member) {
    if (auto all = memberships(reading)) member = std::move(*all);
  }
  static std::string write(const std::vector<Membership>& all) {
    std::vector<std::string> texts;
    for (const auto& one : all) texts.push_back(one.text);
    return toml_array(texts);
  }
};

struct Interface {
  static std::string wants(const Bounds&) { return R"(the name of an interface, as in "eth0")"; }
  static void read(const Reading& reading, std::string& member) {
    if (auto name = interface_name(reading)) member = std::move(*name);
  }
  static std::string write(const std::string& name) { return toml_string(name); }
};

struct Announced {
  static std::string wants(const Bounds&) {
    return R"(an array of services with their addresses, as in ["echo tcp/7 udp/7"])";
  }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    if (auto all = announced(reading)) member = std::move(*all);
  }
  static std::string write(const std::vector<std::string>& all) { return toml_array(all); }
};

}  // namespace superd::kinds
