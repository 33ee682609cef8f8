// Puts the files of a configuration together.

#include "superd/config/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "superd/base/words.h"
#include "superd/config/config.h"
#include "superd/config/draft.h"

namespace superd {

namespace {

// Deep enough for a distribution's file, a site's and a machine's; a chain that is longer is a mistake.
constexpr int most_levels = 8;
// What a service of each file may be, and what lines can be counted in.
constexpr std::size_t most_files = 10'000, most_bytes = 64 << 20;

/// All files of a configuration.
class Assembly {
 public:
  std::expected<ServiceTable, std::vector<std::string>> of(const Source& main, std::vector<std::string>* skipped) {
    read(main, {}, {.level = 0, .can_be_skipped = false});
    for (;;) {
      draft_.is_whole = broken_.empty();
      check(draft_, complaints_);
      if (complaints_.empty()) {
        announce_services(draft_.table);
        return std::move(draft_.table);
      }
      const auto wrong = skipped ? complaints_.skippable_files() : std::set<std::size_t>();
      if (wrong.empty()) return std::unexpected(complaints_.lines());
      for (auto& line : complaints_.take(wrong)) skipped->push_back(std::move(line));
      leave_out(wrong);
    }
  }

 private:
  struct Standing {
    int level;
    bool can_be_skipped;
  };

  void read(const Source& source, Defaults defaults, Standing standing) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(source.text, '\n')) + 1;
    const int before_first = complaints_.begin_file(source.name, lines, standing.can_be_skipped);
    const auto document = read_toml(source.text, complaints_, before_first);
    if (!document.is_whole) broken_.insert(complaints_.file_of(before_first));
    if (source.identity != FileIdentity{}) included_.emplace(source.identity, before_first);
    bytes_ += source.text.size();
    for (const auto& include : read_sections(document, draft_, complaints_, defaults, standing.level == 0))
      read(include, source, defaults, standing);
  }

  void read(const Include& include, const Source& from, const Defaults& defaults, Standing standing) {
    const auto complain = [&](const std::string& what) { complaints_.add(include.line, "include", what); };
    if (from.identity == FileIdentity{}) return complain("is for files: this text is in none");
    if (++standing.level > most_levels)
      return complain(fmt::format("is the file {} files deep: at most {}", standing.level, most_levels));
    const auto path = beside(from.name, include.path);
    const auto found = find_included(path);
    if (!found) return complain(fmt::format("\"{}\": {}", escaped(path, 400), found.error().what));
    if (found->is_directory && draft_.table.include_errors == IncludeErrors::skip) standing.can_be_skipped = true;
    for (const auto& file : found->paths) read_file(file, include.line, defaults, standing, found->is_directory);
  }

  void read_file(const std::string& path, int named_in, const Defaults& defaults, Standing standing,
                 bool is_of_directory) {
    const auto file = read_source(path);
    if (!file) {
      // A file that nobody named by itself is complained of where it is.
      const int line = is_of_directory ? complaints_.begin_file(path, 0, standing.can_be_skipped) : named_in;
      const auto what =
          is_of_directory ? file.error().what : fmt::format("\"{}\": {}", escaped(path, 400), file.error().what);
      return complaints_.add(line, is_of_directory ? "" : "include", what);
    }
    if (included_.contains(file->identity))
      return complaints_.add(named_in, "include",
                             fmt::format("\"{}\" is read already: name each file once", escaped(path, 400)));
    if (included_.size() >= most_files || bytes_ + file->text.size() > most_bytes)
      return complaints_.add(named_in, "include",
                             fmt::format("\"{}\" is one too many: at most {} files and {} MiB", escaped(path, 400),
                                         most_files, most_bytes >> 20));
    read({path, file->text, file->identity}, defaults, standing);
  }

  void leave_out(const std::set<std::size_t>& files) {
    const auto is_left_out = [&](std::size_t i) { return files.contains(complaints_.file_of(draft_.lines[i].header)); };
    Draft rest{.table = draft_.table};
    rest.table.services.clear();
    for (std::size_t i = 0; i < draft_.lines.size(); ++i) {
      if (is_left_out(i)) continue;
      rest.table.services.push_back(std::move(draft_.table.services[i]));
      rest.lines.push_back(std::move(draft_.lines[i]));
    }
    draft_ = std::move(rest);
    for (const auto file : files) broken_.erase(file);
  }

  Complaints complaints_;
  Draft draft_;
  std::map<FileIdentity, int> included_;
  std::set<std::size_t> broken_;  ///< files of which a syntax error hides a part
  std::size_t bytes_ = 0;
};

}  // namespace

std::expected<ServiceTable, std::vector<std::string>> parse_sources(const Source& main,
                                                                    std::vector<std::string>* skipped) {
  return Assembly().of(main, skipped);
}

std::expected<ServiceTable, std::vector<std::string>> parse_config(std::string_view text, std::string_view name) {
  return parse_sources({std::string(name), text}, nullptr);
}

}  // namespace superd
