#pragma once

#include <fmt/format.h>

#include "superd/config/kinds.h"
#include "superd/config/values.h"

/// The kinds of values that the keys of programs alone have.
namespace superd::kinds {

/// A value that need not be: nothing is printed then.
template <class Kind>
struct OrNothing {
  static std::string wants(const Bounds& b) { return Kind::wants(b); }
  template <class T>
  static void read(const Reading& reading, std::optional<T>& member) {
    // Of no key can it be the least value that stays when a value is wrong.
    T value = static_cast<T>(-1);
    Kind::read(reading, value);
    if (value != static_cast<T>(-1)) member = value;
  }
  template <class T>
  static std::string write(const std::optional<T>& value) {
    return value ? Kind::write(*value) : std::string();
  }
};

struct Percent {
  static std::string wants(const Bounds& b) {
    return fmt::format("a share of one processor, \"{}%\" to \"{}%\"", b.least, b.most);
  }
  static void read(const Reading& reading, std::optional<int>& member) {
    if (const auto share = percent(reading)) member = static_cast<int>(*share);
  }
  static std::string write(const std::optional<int>& share) {
    return share ? fmt::format("\"{}%\"", *share) : std::string();
  }
};

struct Groups {
  static std::string wants(const Bounds&) { return R"(an array of groups, as in ["ssl-cert"])"; }
  static void read(const Reading& reading, std::optional<std::vector<Confinement::Group>>& member) {
    if (auto all = groups(reading)) member = std::move(*all);
  }
  static std::string write(const std::optional<std::vector<Confinement::Group>>& all) {
    if (!all) return {};
    std::vector<std::string> names;
    for (const auto& group : *all) names.push_back(group.name);
    return toml_array(names);
  }
};

struct Capabilities {
  static std::string wants(const Bounds&) { return R"(an array of capabilities, as in ["net_bind_service"])"; }
  static void read(const Reading& reading, std::optional<std::vector<int>>& member) {
    if (auto all = capabilities(reading)) member = std::move(*all);
  }
  static std::string write(const std::optional<std::vector<int>>& all) {
    return all ? toml_array(texts_of_capabilities(*all)) : std::string();
  }
};

struct Filters {
  static std::string wants(const Bounds&) { return "an array of " + quoted_choice(filter_names()); }
  static void read(const Reading& reading, std::vector<Confinement::Filter>& member) {
    if (auto all = filters(reading)) member = std::move(*all);
  }
  static std::string write(const std::vector<Confinement::Filter>& all) { return toml_array(texts_of_filters(all)); }
};

struct Paths {
  static std::string wants(const Bounds&) { return R"(an array of absolute paths, as in ["/srv/git"])"; }
  static void read(const Reading& reading, std::vector<std::string>& member) {
    if (auto all = paths(reading)) member = std::move(*all);
  }
  static std::string write(const std::vector<std::string>& all) { return toml_array(all); }
};

}  // namespace superd::kinds
