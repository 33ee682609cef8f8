#include "superd/services/beacon/beacon_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace superd {

namespace {

constexpr std::string_view head = "superd-beacon 1\n", query = "superd-beacon 1 query\n";
constexpr std::size_t most_services = 100, most_addresses = 64, longest_word = 128;

bool is_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_word &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_name(std::string_view text) noexcept {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  return is_word(text) && std::ranges::all_of(text, fits);
}

bool is_address(std::string_view text) noexcept {
  return is_word(text) && (text.starts_with("tcp/") || text.starts_with("udp/"));
}

/// Takes what stands before `mark` off the front, and the mark with it.
std::string_view take_to(std::string_view& rest, char mark) noexcept {
  const auto end = std::min(rest.find(mark), rest.size());
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

template <class T>
std::optional<T> number_in(std::string_view text) noexcept {
  T number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// False: the line says something that it must not. Words that are not known are those of a later time.
bool take_line(BeaconText& text, std::string_view line) {
  const auto word = take_to(line, ' ');
  if (word == "host") {
    text.host = std::string(line);
    return is_word(line);
  }
  if (word == "every") {
    const auto seconds = number_in<std::uint32_t>(line);
    text.every = Seconds(seconds.value_or(0));
    return seconds.has_value();
  }
  if (word == "left-out") {
    const auto count = number_in<unsigned>(line);
    text.left_out = count.value_or(0);
    return count.has_value();
  }
  if (word != "service") return true;
  auto entry = BeaconEntry::parse(line);
  if (!entry || text.services.size() == most_services) return false;
  text.services.push_back(std::move(*entry));
  return true;
}

}  // namespace

std::optional<BeaconEntry> BeaconEntry::parse(std::string_view text) {
  BeaconEntry entry{.name = std::string(take_to(text, ' ')), .addresses = {}};
  if (!is_name(entry.name) || text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto address = take_to(text, ' ');
    if (!is_address(address) || entry.addresses.size() == most_addresses) return std::nullopt;
    entry.addresses.emplace_back(address);
  }
  return entry;
}

std::optional<BeaconText> BeaconText::parse(std::string_view text) {
  if (!text.starts_with(head) || !text.ends_with('\n')) return std::nullopt;
  text.remove_prefix(head.size());
  BeaconText result;
  while (!text.empty())
    if (!take_line(result, take_to(text, '\n'))) return std::nullopt;
  if (result.host.empty()) return std::nullopt;
  return result;
}

std::string beacon_text(std::string_view host, Seconds every, std::span<const std::string> services, std::size_t most) {
  // Room for the line that tells how many are left out, by which it can be exceeded no more.
  constexpr std::size_t last_line = sizeof("left-out 4294967295");
  std::string text(head);
  fmt::format_to(std::back_inserter(text), "host {}\nevery {}\n", is_word(host) ? host : "unknown", every.count());
  std::size_t left_out = 0;
  for (const auto& service : services) {
    constexpr std::string_view word = "service ";
    if (text.size() + word.size() + service.size() + 1 + last_line > most || left_out > 0) {
      ++left_out;
      continue;
    }
    text.append(word).append(service).append("\n");
  }
  if (left_out > 0) fmt::format_to(std::back_inserter(text), "left-out {}\n", left_out);
  return text;
}

std::string beacon_query() {
  std::string text(query);
  text.resize(longest_beacon, '\n');
  return text;
}

bool is_beacon_query(std::string_view text) noexcept { return text.starts_with(query); }

}  // namespace superd
