#pragma once

#include <fmt/format.h>

#include <vector>

#include "superd/base/units.h"
#include "superd/config/values.h"
#include "superd/designs/design.h"
#include "superd/engines/engines.h"
#include "superd/services/services.h"

/// The kinds of values that keys have: what may be written, how it is read into a member, and how it is printed.
namespace superd::kinds {

struct Whole {
  static std::string wants(const Bounds& b) { return fmt::format("a whole number, {} to {}", b.least, b.most); }
  template <class T>
  static void read(const Reading& reading, T& member) {
    if (const auto number = whole_number(reading)) member = static_cast<T>(*number);
  }
  static std::string write(auto number) { return std::to_string(number); }
};

struct Size {
  static std::string wants(const Bounds& b) {
    return fmt::format("a size, {} to {}", size_text(b.least), size_text(b.most));
  }
  template <class T>
  static void read(const Reading& reading, T& member) {
    if (const auto bytes = size_in_bytes(reading)) member = static_cast<T>(*bytes);
  }
  static std::string write(auto bytes) {
    const auto text = size_text(static_cast<std::int64_t>(bytes));
    return bytes == 0 ? text : toml_string(text);
  }
};

struct Duration {
  static std::string wants(const Bounds& b) {
    return fmt::format("a duration, {} to {}", format_duration(Millis(b.least)), format_duration(Millis(b.most)));
  }
  static void read(const Reading& reading, Millis& member) { member = duration(reading).value_or(member); }
  static void read(const Reading& reading, Seconds& member) {
    const auto millis = duration(reading);
    if (!millis) return;
    if (*millis % Seconds(1) == Millis(0))
      member = std::chrono::duration_cast<Seconds>(*millis);
    else
      reading.complain("\"" + format_duration(*millis) + "\" is no whole number of seconds: leave the rest out");
  }
  static std::string write(Millis duration) { return toml_string(format_duration(duration)); }
};

/// A duration, or "auto" where the program finds one.
struct DurationOrAuto {
  static std::string wants(const Bounds& b) { return "\"auto\", or " + Duration::wants(b); }
  static void read(const Reading& reading, std::optional<Millis>& member) {
    if (reading.node.type == Node::Type::text && reading.node.text == "auto")
      member.reset();
    else if (const auto given = duration(reading))
      member = given;
  }
  static std::string write(std::optional<Millis> given) {
    return given ? Duration::write(*given) : std::string("\"auto\"");
  }
};

/// The name of a row of one of the program's tables.
template <auto table>
struct Row {
  static std::vector<std::string_view> names() {
    std::vector<std::string_view> names;
    for (const auto& row : table()) names.push_back(row.name);
    return names;
  }
  static std::string wants(const Bounds&) { return quoted_choice(names()); }
  static void read(const Reading& reading, std::string& member) {
    const auto all = names();
    if (const auto index = choice(reading, all)) member = all[*index];
  }
  static std::string write(const std::string& name) { return name.empty() ? std::string() : toml_string(name); }
};

/// An enumeration whose values, from 0 on, have these words.
template <const auto& words>
struct Choice {
  static std::string wants(const Bounds&) { return quoted_choice(words); }
  template <class T>
  static void read(const Reading& reading, T& member) {
    if (const auto index = choice(reading, words)) member = static_cast<T>(*index);
  }
  static std::string write(auto value) { return toml_string(words[static_cast<std::size_t>(value)]); }
};

struct Label {
  static std::string wants(const Bounds&) { return "a name"; }
  static void read(const Reading& reading, std::string& member) { member = label(reading).value_or(member); }
  static std::string write(const std::string& name) { return toml_string(name); }
};

struct Addresses {
  static std::string wants(const Bounds&) { return R"(an array of addresses, as in ["tcp/7", "udp/[::1]:7"])"; }
  static void read(const Reading& reading, std::vector<ListenAddress>& member) {
    if (auto read = addresses(reading)) member = std::move(*read);
  }
  static std::string write(const std::vector<ListenAddress>& listen) {
    std::vector<std::string> items;
    items.reserve(listen.size());
    for (const auto& address : listen) items.push_back(address.text);
    return toml_array(items);
  }
};

struct LogTargets {
  static std::string wants(const Bounds&) {
    return R"("stderr", "syslog", "journal" or "file:/PATH", or an array of them)";
  }
  static void read(const Reading& reading, std::vector<LogTarget>& member) {
    if (auto read = log_targets(reading)) member = std::move(*read);
  }
  static std::string write(const std::vector<LogTarget>& targets) {
    std::vector<std::string> items;
    items.reserve(targets.size());
    for (const auto& target : targets) items.push_back(target.text());
    return items.size() == 1 ? toml_string(items.front()) : toml_array(items);
  }
};

struct Networks {
  static std::string wants(const Bounds&) { return R"(an array of networks, as in ["10.0.0.0/8", "::1"])"; }
  static void read(const Reading& reading, std::vector<Network>& member) {
    if (auto read = networks(reading)) member = std::move(*read);
  }
  static std::string write(const std::vector<Network>& networks) {
    std::vector<std::string> items;
    items.reserve(networks.size());
    for (const auto& network : networks) items.push_back(network.text());
    return toml_array(items);
  }
};

struct Flag {
  static std::string wants(const Bounds&) { return "true or false"; }
  static void read(const Reading& reading, bool& member) { member = flag(reading).value_or(member); }
  static std::string write(bool value) { return value ? "true" : "false"; }
};

/// What the system is handed as it is.
struct Path {
  static std::string wants(const Bounds&) { return R"(an absolute path, as in "/srv")"; }
  static void read(const Reading& reading, std::string& member) { member = path(reading).value_or(member); }
  static std::string write(const std::string& path) { return path.empty() ? std::string() : toml_string(path); }
};

/// Files and directories that a file includes. What they say is printed in its place.
struct Includes {
  static std::string wants(const Bounds&) { return R"(an array of files and directories, as in ["/etc/superd.d"])"; }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    member = includes(reading).value_or(member);
  }
  static std::string write(const std::vector<std::string>&) { return {}; }
};

/// A program and its arguments.
struct Command {
  static std::string wants(const Bounds&) { return R"(an array of words, as in ["/bin/cat", "-u"])"; }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    member = command(reading).value_or(member);
  }
  static std::string write(const std::vector<std::string>& words) {
    return words.empty() ? std::string() : toml_array(words);
  }
};

struct Environment {
  static std::string wants(const Bounds&) { return R"(an array of settings, as in ["LANG=C"])"; }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    member = environment(reading).value_or(member);
  }
  static std::string write(const std::vector<std::string>& settings) { return toml_array(settings); }
};

struct Rules {
  static std::string wants(const Bounds&) { return R"(an array of rules, as in ["rg \\\\ /"])"; }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    member = name_rules(reading).value_or(member);
  }
  static std::string write(const std::vector<std::string>& rules) { return toml_array(rules); }
};

struct Identity {
  static std::string wants(const Bounds&) {
    return R"(a user, as in "nobody", or with a group, as in "nobody:nogroup")";
  }
  static void read(const Reading& reading, std::optional<Launch::Identity>& member) {
    if (auto who = identity(reading)) member = std::move(*who);
  }
  static std::string write(const std::optional<Launch::Identity>& who) {
    return who ? toml_string(who->name) : std::string();
  }
};

struct ResourceBounds {
  static std::string wants(const Bounds&) { return R"(an array of bounds, as in ["nofile=100", "as=256MiB"])"; }
  static void read(const Reading& reading, std::vector<Launch::Bound>& member) {
    member = resource_bounds(reading).value_or(member);
  }
  static std::string write(const std::vector<Launch::Bound>& bounds) { return toml_array(texts_of(bounds)); }
};

struct Mode {
  static std::string wants(const Bounds&) { return R"(three octal digits in quotes, as in "0660")"; }
  static void read(const Reading& reading, mode_t& member) { member = mode(reading).value_or(member); }
  static std::string write(mode_t bits) { return fmt::format("\"{:04o}\"", bits); }
};

/// A user's or a group's name or number; nothing where the process's own is kept.
template <auto read_id>
struct Id {
  static std::string wants(const Bounds&) { return "a name or a number"; }
  template <class T>
  static void read(const Reading& reading, std::optional<T>& member) {
    if (const auto id = read_id(reading)) member = id;
  }
  template <class T>
  static std::string write(const std::optional<T>& id) {
    return id ? std::to_string(*id) : std::string();
  }
};

}  // namespace superd::kinds
