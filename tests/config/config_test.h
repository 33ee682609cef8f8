#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "superd/config/config.h"

namespace superd::test {

using Lines = std::vector<std::string>;

/// What is wrong with a text, read as "x.toml"; empty when nothing is.
inline Lines errors_of(std::string_view text) {
  auto table = parse_config(text, "x.toml");
  return table ? Lines{} : table.error();
}

/// A text that must be right.
inline ServiceTable parsed(std::string_view text) {
  auto table = parse_config(text, "x.toml");
  if (table) return *table;
  for (const auto& line : table.error()) ADD_FAILURE() << line;
  return {};
}

/// An echo service with one more line, the third of the file.
inline std::string echo_with(std::string_view line) {
  return "[service.echo]\nlisten = \"tcp/7\"\n" + std::string(line) + "\n";
}

/// The settings of echo_with().
inline ServiceSettings echo(std::string_view line) {
  auto table = parsed(echo_with(line));
  return table.services.empty() ? ServiceSettings{} : table.services[0];
}

inline ListenAddress address(std::string_view text) { return ListenAddress::parse(text).value(); }

}  // namespace superd::test
