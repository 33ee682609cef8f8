// Whatever a set file, hours, a rate or a rule of access hold, they are refused with words that are safe to show, or
// print and read back equal; and a table of networks says what a look at each of them would.

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "superd/serve/access_list.h"
#include "superd/serve/hours.h"
#include "superd/serve/rate.h"

namespace {

using namespace superd;

void check_words(std::string_view words) {
  if (words.empty() || !std::ranges::all_of(words, [](char c) { return c >= ' ' && c <= '~'; })) std::abort();
}

template <class Value>
void check_same(const Result<Value>& read, const auto& read_again) {
  if (!read) return check_words(read.error().what);
  const auto again = read_again(*read);
  if (!again || *again != *read) std::abort();
}

void check_table(const std::vector<Network>& set) {
  std::vector<JudgedNetwork> judged;
  judged.reserve(set.size());
  for (const auto& network : set) judged.push_back({network, judged.size() % 2 ? Opinion::deny : Opinion::allow});
  const AccessTable table(judged);
  for (const auto& at : set) {
    const auto address = Endpoint::parse(at.text().substr(0, at.text().find('/')), 0).value();
    Opinion best = Opinion::none;
    int bits = -1;
    for (const auto& [network, opinion] : judged) {
      if (!network.holds(address) || network.bits() < bits) continue;
      best = network.bits() == bits ? std::max(best, opinion) : opinion;
      bits = network.bits();
    }
    if (table.of(AddressBits::of(address)) != best) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_same(Hours::parse(text), [](const Hours& hours) { return Hours::parse(hours.text()); });
  check_same(parse_rate(text), [](const Rate& rate) { return parse_rate(format_rate(rate)); });
  check_same(AccessRule::parse(text), [](const AccessRule& rule) { return AccessRule::parse(rule.text()); });
  const auto set = parse_set(text);
  if (!set)
    check_words(set.error().what);
  else if (set->size() < 100)
    check_table(*set);
  return 0;
}
