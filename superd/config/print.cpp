#include <fmt/format.h>

#include "superd/config/config.h"
#include "superd/config/keys.h"

namespace superd {

namespace {

std::string line_of(const Key& key, const ServiceTable& table, const ServiceSettings& service) {
  const auto value = key.write(table, service);
  // What is not set has no value in TOML: its line is a comment.
  const auto setting =
      value.empty() ? fmt::format("# {} is not set", key.name) : fmt::format("{} = {}", key.name, value);
  return fmt::format("{:<34}  # {}\n", setting, key.meaning);
}

}  // namespace

std::string print_config(const ServiceTable& table) {
  std::string text = "[superd]\n";
  for (const auto& key : keys())
    if (key.place == Place::program) text += line_of(key, table, {});
  for (const auto& service : table.services) {
    text += fmt::format("\n[service.{}]\n", toml_key(service.name));
    for (const auto& key : keys())
      if (key.place != Place::program) text += line_of(key, table, service);
  }
  return text;
}

}  // namespace superd
