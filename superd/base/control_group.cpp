#include "superd/base/control_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace superd {

namespace {

// Of the kernel's scheduler, in microseconds: its default.
constexpr int period = 100'000;

/// A limit: its key in the configuration, its controller, and the file and the text that set it.
struct Limit {
  std::string_view key, controller;
  std::string first, first_text;    ///< version 1
  std::string second, second_text;  ///< version 2
};

std::vector<Limit> limits_of(const Share& share) {
  std::vector<Limit> all;
  const auto add = [&all](std::string_view key, std::string_view controller, std::string first, std::string second,
                          const std::string& text, const std::string& second_text) {
    all.push_back({key, controller, std::move(first), text, std::move(second), second_text});
  };
  if (share.memory) {
    const auto text = std::to_string(*share.memory);
    add("memory", "memory", "memory.limit_in_bytes", "memory.max", text, text);
  }
  if (share.processes) {
    const auto text = std::to_string(*share.processes);
    add("processes", "pids", "pids.max", "pids.max", text, text);
  }
  if (share.cpu) {
    const auto quota = std::to_string(*share.cpu * (period / 100));
    add("cpu", "cpu", "cpu.cfs_quota_us", "cpu.max", quota, quota + " " + std::to_string(period));
  }
  return all;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int write_file(const std::string& path, std::string_view text) noexcept {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int code = write(file, text.data(), text.size()) < 0 ? errno : 0;
  close(file);
  return code;
}

/// Whether `word` is one of those in `list`, which `between` separates.
bool has_word(std::string_view list, std::string_view word, char between) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const auto end = std::min(list.find(between, begin), list.size());
    if (list.substr(begin, end - begin) == word) return true;
    begin = end + 1;
  }
  return false;
}

std::vector<std::string_view> split(std::string_view text, char between) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(between, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// proc_pid_mountinfo(5): "36 35 98:0 ROOT POINT rw,noatime TAGS - TYPE source OPTIONS".
struct Mount {
  std::string_view root, point, type, options;
};
std::optional<Mount> parse_mount(std::string_view line) {
  const auto fields = split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 6 || fields.end() - dash < 4) return std::nullopt;
  return Mount{fields[3], fields[4], dash[1], dash[3]};
}

/// Where a process is, by the line of /proc/self/cgroup ("4:memory:/path") for that mount.
std::optional<std::string_view> own_path(std::string_view own, const Mount& mount) {
  for (const auto line : split(own, '\n')) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const bool is_second = controllers.empty();
    const bool fits = is_second
                          ? mount.type == "cgroup2"
                          : mount.type == "cgroup" && has_word(mount.options, split(controllers, ',').front(), ',');
    if (fits) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Of version 2.
bool offers(const Hierarchy& hierarchy, std::string_view controller) {
  std::ifstream file(hierarchy.folder + "/cgroup.controllers");
  return std::find(std::istream_iterator<std::string>(file), {}, controller) != std::istream_iterator<std::string>();
}

// A name of ours, of a process that is gone: its directory is empty, or somebody lives there who is nobody's child.
// Once for all groups that this process makes.
void clear_away(const std::string& folder) {
  static thread_local std::vector<std::string> cleared;
  if (std::ranges::find(cleared, folder) != cleared.end()) return;
  cleared.push_back(folder);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const auto name = entry.path().filename().string();
    constexpr std::string_view ours = "superd.";
    if (!name.starts_with(ours)) continue;
    pid_t process = 0;
    const auto* const text = name.data();
    std::from_chars(text + ours.size(), text + name.size(), process);
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) (void)rmdir(entry.path().c_str());
  }
}

// In version 2 a group whose controllers are shared out has no processes of its own: ours move into a leaf, if whoever
// manages the groups here has left this one to us (systemd.resource-control(5), Delegate=).
int share_out(const std::string& folder, std::string_view controllers) {
  const auto file = folder + "/cgroup.subtree_control";
  const int code = write_file(file, controllers);
  if (code != EBUSY) return code;
  std::array<char, 8> value{};
  if (getxattr(folder.c_str(), "user.delegate", value.data(), value.size()) < 1 || value[0] != '1') return code;
  const auto leaf = folder + "/superd";
  if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return errno;
  std::istringstream processes(read_file(folder + "/cgroup.procs"));
  for (std::string process; processes >> process;) (void)write_file(leaf + "/cgroup.procs", process);
  return write_file(file, controllers);
}

std::unexpected<Error> cannot(std::string_view key, const std::string& doing, int code) {
  return system_error(std::string(key) + ": " + doing, code);
}

}  // namespace

std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view own) {
  std::vector<Hierarchy> found;
  for (const auto line : split(mountinfo, '\n')) {
    const auto mount = parse_mount(line);
    if (!mount) continue;
    auto path = own_path(own, *mount);
    if (!path) continue;
    // A mount may begin below the hierarchy's root: in a container.
    if (mount->root != "/" && path->starts_with(mount->root)) path->remove_prefix(mount->root.size());
    std::string folder(mount->point);
    if (*path != "/") folder += *path;
    found.push_back({std::move(folder), mount->type == "cgroup2" ? std::string_view() : mount->options});
  }
  return found;
}

Result<ControlGroup> ControlGroup::make(const std::string& service, const Share& share) {
  const auto mountinfo = read_file("/proc/self/mountinfo"), own = read_file("/proc/self/cgroup");
  return make(service, share, find_hierarchies(mountinfo, own));
}

Result<ControlGroup> ControlGroup::make(const std::string& service, const Share& share,
                                        std::span<const Hierarchy> hierarchies) {
  const auto name = "superd." + std::to_string(getpid()) + "." + service;
  ControlGroup group;
  std::string shared_out;
  std::string of_second;
  std::string_view first_key;
  for (const auto& limit : limits_of(share)) {
    const auto first = std::ranges::find_if(hierarchies, [&](const Hierarchy& hierarchy) {
      return has_word(hierarchy.controllers, limit.controller, ',');
    });
    if (first != hierarchies.end()) {
      clear_away(first->folder);
      if (auto added = group.add(first->folder + "/" + name, false, share, limit.key); !added)
        return std::unexpected(added.error());
      continue;
    }
    const auto second = std::ranges::find_if(hierarchies, [&](const Hierarchy& hierarchy) {
      return hierarchy.controllers.empty() && offers(hierarchy, limit.controller);
    });
    if (second == hierarchies.end())
      return error(std::string(limit.key) + ": there is no control group here whose " + std::string(limit.controller) +
                   " could be limited: leave it out, or write best_effort = true");
    of_second = second->folder;
    if (first_key.empty()) first_key = limit.key;
    shared_out += (shared_out.empty() ? "+" : " +") + std::string(limit.controller);
  }
  if (of_second.empty()) return group;
  if (const int code = share_out(of_second, shared_out))
    return cannot(first_key, "share out the control group " + of_second + " (is it delegated to superd?)", code);
  clear_away(of_second);
  if (auto added = group.add(of_second + "/" + name, true, share, {}); !added) return std::unexpected(added.error());
  return group;
}

// `only`: the key of version 1 that this directory is for; empty: all that version 2 has.
Result<> ControlGroup::add(const std::string& folder, bool is_second, const Share& share, std::string_view only) {
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
    return cannot(only.empty() ? "memory, processes or cpu" : only, "make the control group " + folder, errno);
  folders_.push_back(folder);
  for (const auto& limit : limits_of(share)) {
    if (!only.empty() && limit.key != only) continue;
    const auto file = folder + "/" + (is_second ? limit.second : limit.first);
    const int code = write_file(file, is_second ? limit.second_text : limit.first_text);
    // One that another hierarchy has.
    if (code == ENOENT && is_second) continue;
    if (code != 0) return cannot(limit.key, "write to " + file, code);
  }
  // A single thread that writes to `tasks` moves without the lock that the other file takes, for milliseconds.
  const auto entry = folder + (is_second ? "/cgroup.procs" : "/tasks");
  const int file = open(entry.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return cannot(only, "open " + entry, errno);
  entries_.push_back(file);
  if (is_second) birthplace_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return {};
}

void ControlGroup::kill() noexcept {
  // Who forks faster than this is bounded by the group's `processes`, and by these.
  constexpr int most_rounds = 100;
  for (const auto& folder : folders_) {
    if (write_file(folder + "/cgroup.kill", "1") == 0) continue;
    for (int round = 0; round < most_rounds; ++round) {
      std::istringstream processes(read_file(folder + "/cgroup.procs"));
      bool is_empty = true;
      for (pid_t process; processes >> process;) is_empty = ::kill(process, SIGKILL) != 0 && is_empty;
      if (is_empty) break;
    }
  }
  was_killed_ = true;
}

ControlGroup::~ControlGroup() {
  for (const int file : entries_) close(file);
  if (birthplace_ >= 0 && !folders_.empty()) close(birthplace_);
  // Those who were killed need a moment to be gone; who lives on has the group for himself.
  constexpr int most_tries = 200;
  int tries = was_killed_ ? most_tries : 1;
  for (const auto& folder : folders_)
    while (rmdir(folder.c_str()) != 0 && errno == EBUSY && --tries > 0) usleep(1'000);
}

}  // namespace superd
