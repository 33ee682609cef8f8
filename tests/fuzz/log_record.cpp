// Whatever comes out of the log's pipe, which any process of ours may have written, it is read to its end, and its line is
// one line of printable characters.

#include <cstdlib>
#include <span>
#include <string>

#include "superd/base/log_line.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::span<const char> rest(reinterpret_cast<const char*>(data), size);
  for (superd::LogEntry::Read record; (record = superd::LogEntry::read(rest)).size > 0;) {
    if (record.size > rest.size()) std::abort();
    rest = rest.subspan(record.size);
    if (!record.entry) continue;
    std::string line;
    superd::append_text_line(line, *record.entry);
    line.pop_back();
    superd::append_json(line, *record.entry);
    for (const char c : line)
      if (c < ' ' || c > '~') std::abort();
  }
  return 0;
}
