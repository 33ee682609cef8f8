// Whatever a file holds, reading it ends, with errors that are safe to show or with a table that prints and reads back
// equal.

#include "superd/config/config.h"

#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = superd::parse_config(text, "fuzz.toml");
  if (!table) {
    if (table.error().empty()) std::abort();
    for (const auto& line : table.error())
      for (const char c : line)
        if (c < ' ' || c > '~') std::abort();
    return 0;
  }
  const auto again = superd::parse_config(superd::print_config(*table), "printed.toml");
  if (!again || *again != *table) std::abort();
  return 0;
}
