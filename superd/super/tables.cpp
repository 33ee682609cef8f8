#include "superd/super/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "superd/designs/design.h"
#include "superd/engines/engines.h"
#include "superd/services/services.h"

namespace superd {

namespace {

// Enough for the tables, whose text is ours: printable, in one line.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string row(const ServiceEntry& service) {
  return fmt::format(
      R"({{"name": {}, "what": {}, "streams": {}, "datagrams": {}, "serves_files": {}, "packets": [{}]}})",
      quoted(service.name), quoted(service.what), service.streams, service.datagrams, service.serves_files,
      fmt::join(service.packets, ", "));
}

// Those that the design can wait by.
std::string engines_of(const DesignEntry& design) {
  std::vector<std::string> names;
  if (design.uses_engine)
    for (const auto& engine : engines())
      if (check_design({.design = std::string(design.name), .engine = std::string(engine.name)}))
        names.push_back(quoted(engine.name));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string row(const DesignEntry& design) {
  return fmt::format(
      R"({{"name": {}, "what": {}, "uses_engine": {}, "uses_loops": {}, "uses_workers": {}, "uses_threads": {}, "forks": {}, "engines": [{}]}})",
      quoted(design.name), quoted(design.what), design.uses_engine, design.uses_loops, design.uses_workers,
      design.uses_threads, design.forks, engines_of(design));
}

std::string row(const EngineEntry& engine) {
  return fmt::format(R"({{"name": {}, "what": {}, "capacity": {}}})", quoted(engine.name), quoted(engine.what),
                     engine.capacity);
}

std::string rows(const auto& table) {
  std::vector<std::string> lines;
  for (const auto& entry : table) lines.push_back("    " + row(entry));
  return fmt::format("[\n{}\n  ]", fmt::join(lines, ",\n"));
}

}  // namespace

std::string tables_as_json() {
  return fmt::format("{{\n  \"services\": {},\n  \"designs\": {},\n  \"engines\": {}\n}}\n", rows(services()),
                     rows(designs()), rows(engines()));
}

}  // namespace superd
