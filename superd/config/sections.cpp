
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "superd/base/words.h"
#include "superd/config/draft.h"
#include "superd/config/keys.h"
#include "superd/config/values.h"
#include "superd/services/services.h"

namespace superd {

namespace {

// Each has threads, or listeners in a loop; and what they are must fit into a file when it is printed.
constexpr std::size_t most_services = 10'000;
constexpr std::string_view sections = "sections are [superd], [defaults] and [service.NAME]";

std::string_view home_of(Place place) {
  switch (place) {
    case Place::program: return "[superd]";
    case Place::anywhere: return "[defaults] or a [service.NAME]";
    case Place::service: break;
  }
  return "a [service.NAME]";
}

/// May a key that belongs to `place` stand in a section for keys of `section`?
bool fits(Place place, Place section) {
  return place == section || (place == Place::anywhere && section == Place::service);
}

std::string unknown_key(std::string_view name, Place section) {
  std::vector<std::string_view> candidates;
  for (const auto& key : keys())
    if (fits(key.place, section)) candidates.push_back(key.name);
  const auto nearest = nearest_word(name, candidates);
  if (nearest.empty()) return "no such key: superd --print-config shows all";
  return fmt::format("no such key: did you mean \"{}\"?", nearest);
}

/// Reads a document section by section into a Draft, which may have services of other files already.
class Reader {
 public:
  /// `defaults`: those of the file that includes this one, if any does; then its own besides.
  Reader(Draft& draft, Complaints& complaints, Defaults& defaults, bool is_main)
      : draft_(draft), complaints_(complaints), defaults_(defaults), is_main_(is_main) {}

  std::vector<Include> read(const Document& document) {
    const auto& root = document.root.entries;
    // Before the services that they are the defaults of, wherever they stand in the file.
    for (const auto& entry : root)
      if (entry.key == "defaults") read_defaults(entry);
    for (const auto& entry : root) read_top(entry);
    return std::move(includes_);
  }

 private:
  void read_top(const Entry& entry) {
    if (entry.key == "defaults") return;
    if (entry.key == "superd") return read_program(entry);
    if (entry.key == "service") return read_services(entry);
    if (entry.value.type == Node::Type::table || holds_tables(entry.value)) return complain_of_section(entry);
    const auto* key = find_key(entry.key);
    complaints_.add(entry.line, entry.key,
                    key ? fmt::format("stands outside of any section: put it into {}", home_of(key->place))
                        : fmt::format("stands outside of any section: {}", sections));
  }

  void read_program(const Entry& entry) {
    ServiceLines lines;
    ServiceSettings nobody;
    if (!is_section(entry)) return;
    for (const auto& key : entry.value.entries)
      if (!is_main_ && key.key != "include" && find_key(key.key))
        complaints_.add(key.line, key.key, "stands in a file that another one includes: put it into that");
    read_keys(entry.value, Place::program, nobody, lines);
    for (auto& path : std::exchange(draft_.table.include, {}))
      includes_.push_back({std::move(path), lines.of("include")});
  }

  void read_defaults(const Entry& entry) {
    if (is_section(entry)) read_keys(entry.value, Place::anywhere, defaults_.settings, defaults_.lines);
  }

  void read_services(const Entry& entry) {
    if (entry.value.type != Node::Type::table)
      return complaints_.add(entry.line, entry.key, "is no section: a service has a name, as in [service.echo]");
    for (const auto& service : entry.value.entries) {
      read_service(service);
      if (draft_.table.services.size() <= most_services) continue;
      return complaints_.add(service.line, service.key,
                             fmt::format("is one too many: at most {} services", most_services));
    }
  }

  void read_service(const Entry& entry) {
    if (find_key(entry.key) && entry.value.type != Node::Type::table)
      return complaints_.add(entry.line, entry.key, "stands in no service: one has a name, as in [service.echo]");
    if (!is_label(entry.key)) return complaints_.add(entry.line, "service", wrong_name(entry.key));
    if (!is_section(entry)) return;

    const auto [known, is_new] = draft_.headers.try_emplace(entry.key, entry.line);
    if (!is_new)
      return complaints_.add(entry.line, entry.key,
                             fmt::format("is given in {} already: remove one of the two, or rename it",
                                         complaints_.place_of(known->second, entry.line)));

    auto lines = defaults_.lines;
    lines.header = entry.line;
    auto settings = defaults_.settings;
    settings.name = settings.handler = entry.key;
    read_keys(entry.value, Place::service, settings, lines);
    if (settings.has_program()) suit_program(settings, lines);
    suit_packets(settings, lines);
    draft_.table.services.push_back(std::move(settings));
    draft_.lines.push_back(std::move(lines));
  }

  // What is not said is as a program needs it.
  static void suit_program(ServiceSettings& settings, const ServiceLines& lines) {
    if (!lines.keys.contains("handler")) settings.handler.clear();
    if (!lines.keys.contains("design")) settings.design.design = "processes";
  }

  // A service that answers one type of ICMP is not woken by the others, its own answers among them.
  static void suit_packets(ServiceSettings& settings, const ServiceLines& lines) {
    const auto* handler = settings.has_program() ? nullptr : find_service(settings.handler);
    if (!handler || handler->icmp_type.empty() || lines.keys.contains("icmp_types")) return;
    const auto is_raw = [](const ListenAddress& address) { return address.transport == Transport::raw; };
    if (std::ranges::any_of(settings.listen, is_raw))
      settings.options.raw.icmp_types = {std::string(handler->icmp_type)};
  }

  void read_keys(const Node& section, Place place, ServiceSettings& service, ServiceLines& lines) {
    for (const auto& [name, line, value] : section.entries) {
      const auto* key = find_key(name);
      if (!key) {
        complaints_.add(line, name, unknown_key(name, place));
      } else if (!fits(key->place, place)) {
        complaints_.add(line, name, fmt::format("does not belong here: put it into {}", home_of(key->place)));
      } else {
        lines.keys[key->name] = line;
        key->read(*key, value, draft_.table, service, complaints_);
        if (name == "listen") lines.listen = lines_of(value, service.listen);
      }
    }
  }

  /// The addresses that were understood are a part of the array, in its order.
  static std::vector<int> lines_of(const Node& value, const std::vector<ListenAddress>& addresses) {
    if (value.type != Node::Type::array) return {value.line};
    std::vector<int> lines;
    for (const auto& item : value.items)
      if (lines.size() < addresses.size() && item.text == addresses[lines.size()].text) lines.push_back(item.line);
    return lines;
  }

  static bool holds_tables(const Node& node) {
    return node.type == Node::Type::array && !node.items.empty() && node.items[0].type == Node::Type::table;
  }

  bool is_section(const Entry& entry) {
    if (entry.value.type == Node::Type::table) return true;
    complaints_.add(entry.line, entry.key,
                    holds_tables(entry.value)
                        ? std::string("is an array: a section has single brackets and a name of its own")
                        : fmt::format("is {}: write a section", name_of(entry.value.type)));
    return false;
  }

  static std::string wrong_name(std::string_view name) {
    return fmt::format("\"{}\" is no name: {}", escaped(name, 40), label_rule);
  }

  void complain_of_section(const Entry& entry) {
    constexpr std::string_view known[] = {"superd", "defaults", "service"};
    const auto nearest = nearest_word(entry.key, known);
    const bool is_service = find_service(entry.key) != nullptr;
    const auto meant = is_service             ? fmt::format("did you mean [service.{}]?", entry.key)
                       : nearest == "service" ? std::string("did you mean [service.NAME]?")
                       : nearest.empty()      ? std::string(sections)
                                              : fmt::format("did you mean [{}]?", nearest);
    complaints_.add(entry.line, entry.key, "no such section: " + meant);
  }

  Draft& draft_;
  Complaints& complaints_;
  Defaults& defaults_;
  const bool is_main_;
  std::vector<Include> includes_;
};

}  // namespace

std::vector<Include> read_sections(const Document& document, Draft& draft, Complaints& complaints, Defaults& defaults,
                                   bool is_main) {
  return Reader(draft, complaints, defaults, is_main).read(document);
}

}  // namespace superd
