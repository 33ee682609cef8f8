#include "superd/serve/access_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "superd/base/log.h"
#include "superd/base/words.h"

namespace superd {

namespace {

// A million networks with a comment each.
constexpr std::size_t longest_file = std::size_t{64} << 20;

std::string_view trimmed(std::string_view line) noexcept {
  constexpr std::string_view blank = " \t\r";
  line = line.substr(0, line.find('#'));
  const auto begin = line.find_first_not_of(blank);
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(blank) + 1 - begin);
}

Result<std::vector<Network>> read_set(WatchedFile& file) {
  const auto text = file.read(longest_file);
  if (!text) return std::unexpected(text.error());
  auto set = parse_set(*text);
  if (!set) return error(escaped(file.path()) + ": " + set.error().what);
  return set;
}

void log_unread(const std::string& why, std::string_view then) {
  log_event(Severity::error, "set file not read",
            {
                {"why",  why },
                {"then", then}
  });
}

}  // namespace

Result<std::vector<Network>> parse_set(std::string_view text) {
  std::vector<Network> networks;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    const auto item = trimmed(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (item.empty()) continue;
    auto network = Network::parse(item);
    if (!network) return error(fmt::format("line {}: {}", line, network.error().what));
    networks.push_back(*network);
  }
  return networks;
}

Result<> AccessList::SetFile::read() {
  auto set = read_set(file);
  if (!set) return std::unexpected(set.error());
  networks = std::move(*set);
  is_unknown = false;
  return {};
}

Result<> learn_set(const std::string& path, KnownSets& known) {
  WatchedFile file(path);
  auto set = read_set(file);
  if (!set) return std::unexpected(set.error());
  known.insert_or_assign(path, std::move(*set));
  return {};
}

AccessList::AccessList(const AccessRules& allow, const AccessRules& deny)
    : otherwise_(allow.empty() ? Opinion::allow : Opinion::deny) {
  const auto add = [this](const AccessRules& rules, Opinion opinion) {
    for (const auto& rule : rules) {
      if (rule.kind == AccessRule::Kind::set_file)
        files_.push_back({.file = WatchedFile(rule.path), .opinion = opinion, .networks = {}, .failure = {}});
      else
        fixed_.push_back({rule.network, opinion});
    }
  };
  add(allow, Opinion::allow);
  add(deny, Opinion::deny);
}

Result<std::unique_ptr<AccessList>> AccessList::make(const AccessRules& allow, const AccessRules& deny,
                                                     const KnownSets* known) {
  std::unique_ptr<AccessList> made(new AccessList(allow, deny));
  for (auto& file : made->files_) {
    const auto read = file.read();
    if (!read && !known) return std::unexpected(read.error());
    if (!read) made->go_on_without(file, *known, read.error());
  }
  made->table_ = made->made_table();
  made->is_closed_ = made->is_anybody_meant();
  return made;
}

void AccessList::go_on_without(SetFile& set, const KnownSets& known, const Error& why) {
  const auto found = known.find(set.file.path());
  set.is_unknown = found == known.end();
  if (!set.is_unknown) set.networks = found->second;
  set.failure = why.what;
  log_unread(why.what, !set.is_unknown                 ? "it is in force as the configuration found it"
                       : set.opinion == Opinion::allow ? "it allows nobody until it can be read"
                                                       : "nobody may come until it can be read");
}

bool AccessList::is_anybody_meant() const noexcept {
  return std::ranges::any_of(files_, [](const SetFile& set) { return set.is_unknown && set.opinion == Opinion::deny; });
}

AccessTable AccessList::made_table() const {
  auto all = fixed_;
  for (const auto& file : files_)
    for (const auto& network : file.networks) all.push_back({network, file.opinion});
  return AccessTable(std::move(all));
}

bool AccessList::admits(const AddressBits& address) const noexcept {
  const auto judged = [&](Opinion opinion) {
    return (opinion == Opinion::none ? otherwise_ : opinion) == Opinion::allow;
  };
  if (!has_files()) return judged(table_.of(address));
  const std::lock_guard lock(mutex_);
  return !is_closed_ && judged(table_.of(address));
}

bool AccessList::read_changed(SetFile& set) noexcept try {
  if (!set.file.has_changed()) return false;
  const auto read = set.read();
  if (read) {
    set.failure.clear();
    return true;
  }
  // Once, not once a second.
  if (std::exchange(set.failure, read.error().what) != read.error().what)
    log_unread(read.error().what, "it is in force as it was");
  return false;
} catch (const std::bad_alloc&) {
  return false;
}

void AccessList::refresh() noexcept try {
  const std::unique_lock alone(refreshing_, std::try_to_lock);
  if (!alone.owns_lock()) return;
  bool is_other = false;
  for (auto& file : files_) is_other = read_changed(file) || is_other;
  if (!is_other) return;
  auto fresh = made_table();
  const std::lock_guard lock(mutex_);
  std::swap(table_, fresh);
  is_closed_ = is_anybody_meant();
} catch (const std::bad_alloc&) {
  // Nothing has changed but the files' stamps: the next change is seen.
}

}  // namespace superd
