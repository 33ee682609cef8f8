#include "superd/config/log_target.h"

#include <sys/un.h>

#include "superd/base/words.h"

namespace superd {

namespace {

struct Row {
  std::string_view word;
  LogTarget::Kind kind;
  std::string_view place;  ///< where none is given
};

constexpr Row rows[] = {
    {"stderr",  LogTarget::Kind::standard_error, {}                           },
    {"syslog",  LogTarget::Kind::syslog,         "/dev/log"                   },
    {"journal", LogTarget::Kind::journal,        "/run/systemd/journal/socket"},
    {"file",    LogTarget::Kind::file,           {}                           },
};

constexpr std::string_view right = R"(write "stderr", "syslog", "journal" or "file:/PATH")";

std::unexpected<Error> wrong(std::string_view text, std::string_view why) {
  return error("\"" + escaped(text, 120) + "\" " + std::string(why));
}

Result<> check_path(std::string_view text, const LogTarget& target) {
  const auto& path = target.path;
  if (!path.starts_with('/') || path.find('\0') != path.npos)
    return wrong(text, R"(has no absolute path: write one, as in "file:/var/log/superd.log")");
  if (path.ends_with('/')) return wrong(text, "is a directory: add the name of a file");
  constexpr auto longest = sizeof(sockaddr_un::sun_path) - 1;
  if (target.kind != LogTarget::Kind::file && path.size() > longest)
    return wrong(text, "is too long for a socket: " + std::to_string(longest) + " bytes fit");
  return {};
}

}  // namespace

Result<LogTarget> LogTarget::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto word = text.substr(0, colon);
  const bool has_path = colon != text.npos;
  for (const auto& row : rows) {
    if (word != row.word) continue;
    LogTarget target{row.kind, std::string(has_path ? text.substr(colon + 1) : row.place)};
    if (target.kind == Kind::standard_error && !has_path) return target;
    if (target.kind == Kind::standard_error) return wrong(text, "has a path, which stderr has none of: leave it out");
    if (auto checked = check_path(text, target); !checked) return std::unexpected(checked.error());
    return target;
  }
  constexpr std::string_view words[] = {"stderr", "syslog", "journal", "file"};
  const auto nearest = nearest_word(word, words);
  return wrong(text, "is nowhere that lines can go: " +
                         (nearest.empty() ? std::string(right) : "did you mean \"" + std::string(nearest) + "\"?"));
}

std::string LogTarget::text() const {
  for (const auto& row : rows)
    if (row.kind == kind)
      return std::string(row.word) + (path.empty() || path == row.place ? std::string() : ":" + path);
  return {};
}

}  // namespace superd
