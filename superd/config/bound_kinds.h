#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "superd/config/values.h"

/// As kinds.h, of what bounds who may come, and how often.
namespace superd::kinds {

struct Frequency {
  static std::string wants(const Bounds&) { return R"(a rate, as in "20/s", "60/m" or "20/s burst 40")"; }
  static void read(const Reading& reading, Rate& member) { member = rate(reading).value_or(member); }
  static std::string write(const Rate& rate) { return toml_string(format_rate(rate)); }
};

struct Load {
  static std::string wants(const Bounds&) { return fmt::format("a load, above 0 to {}", Limits::no_load_limit); }
  static void read(const Reading& reading, double& member) { member = load(reading).value_or(member); }
  static std::string write(double load) { return fmt::format("{}", load); }
};

struct Access {
  static std::string wants(const Bounds&) {
    return R"(an array of networks and set files, as in ["10.0.0.0/8", "@/etc/superd/friends"])";
  }
  static void read(const Reading& reading, AccessRules& member) {
    if (auto read = access(reading)) member = std::move(*read);
  }
  static std::string write(const AccessRules& rules) { return texts(rules); }

  /// Of items that have a text each.
  static std::string texts(const auto& all) {
    std::vector<std::string> items;
    items.reserve(all.size());
    for (const auto& each : all) items.push_back(each.text());
    return toml_array(items);
  }
};

struct HoursOfDays {
  static std::string wants(const Bounds&) {
    return R"(an array of hours, as in ["Mon-Fri 08:00-18:00", "22:00-06:00"])";
  }
  static void read(const Reading& reading, std::vector<Hours>& member) {
    if (auto read = hours(reading)) member = std::move(*read);
  }
  static std::string write(const std::vector<Hours>& hours) { return Access::texts(hours); }
};

struct Greeting {
  static std::string wants(const Bounds&) { return R"(a text, or a file, as in "@/etc/superd/welcome")"; }
  static void read(const Reading& reading, std::string& member) { member = banner(reading).value_or(member); }
  static std::string write(const std::string& text) { return toml_string(text); }
};

}  // namespace superd::kinds
