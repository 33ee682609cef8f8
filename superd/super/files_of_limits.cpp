#include "superd/super/files_of_limits.h"

#include <fmt/format.h>
#include <sys/fsuid.h>

#include <string_view>

#include "superd/serve/banner.h"

namespace superd {

namespace {

/// What the calling thread opens meanwhile, it opens as that user. Supplementary groups stay: what only they may read is
/// found out by the host that cannot.
class OpenAs {
 public:
  explicit OpenAs(const Launch::Identity& user) noexcept : group_(setfsgid(user.group)), user_(setfsuid(user.user)) {}
  OpenAs(const OpenAs&) = delete;
  OpenAs& operator=(const OpenAs&) = delete;
  ~OpenAs() {
    setfsuid(static_cast<uid_t>(user_));
    setfsgid(static_cast<gid_t>(group_));
  }

 private:
  const int group_, user_;
};

class Reading {
 public:
  void read(const ServiceSettings& service) {
    const auto& limits = service.limits;
    read_sets(service, "allow", limits.allow);
    read_sets(service, "deny", limits.deny);
    read_banner(service, "banner", limits.banner);
    read_banner(service, "banner_refused", limits.banner_refused);
  }

  KnownSets known;
  std::vector<std::string> errors;

 private:
  void complain(const ServiceSettings& service, std::string_view key, const Error& why) {
    errors.push_back(fmt::format("service {}: {}: {}", service.name, key, why.what));
  }
  void read_sets(const ServiceSettings& service, std::string_view key, const AccessRules& rules) {
    for (const auto& rule : rules) {
      // A thousand services may name the same one.
      if (rule.kind != AccessRule::Kind::set_file || known.contains(rule.path)) continue;
      if (auto learned = learn_set(rule.path, known); !learned) complain(service, key, learned.error());
    }
  }
  void read_banner(const ServiceSettings& service, std::string_view key, const std::string& value) {
    if (auto made = Banner::make(value); !made) complain(service, key, made.error());
  }
};

}  // namespace

std::expected<KnownSets, std::vector<std::string>> read_files_of_limits(const ServiceTable& table,
                                                                        const std::optional<Launch::Identity>& user) {
  Reading reading;
  for (const auto& service : table.services) {
    std::optional<OpenAs> as;
    if (user && !service.has_program()) as.emplace(*user);
    reading.read(service);
  }
  if (!reading.errors.empty()) return std::unexpected(std::move(reading.errors));
  return std::move(reading.known);
}

}  // namespace superd
