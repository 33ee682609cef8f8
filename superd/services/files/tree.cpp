#include "superd/services/files/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "superd/base/process.h"

namespace superd {

namespace {

// The C library has no wrapper before glibc 2.42.
int call_openat2(int directory, const char* name, int flags, std::uint64_t resolve) noexcept {
  const open_how how{.flags = static_cast<std::uint64_t>(flags), .mode = 0, .resolve = resolve};
  return static_cast<int>(syscall(SYS_openat2, directory, name, &how, sizeof how));
}

constexpr std::uint64_t confined = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;

// A rename elsewhere on the machine while a ".." of a symbolic link is resolved makes the kernel unsure (EAGAIN): it
// asks for another try, and some tries later somebody is doing it on purpose.
constexpr int most_tries = 8;

// Nobody waits in open(2) for the other end of a FIFO, a terminal does not become ours, and no device is read.
constexpr int to_be_read = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr int to_be_looked_at = O_PATH | O_CLOEXEC;
constexpr int to_be_listed = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

FileFacts facts_of(const struct statx& told) noexcept {
  return {
      .device = makedev(told.stx_dev_major, told.stx_dev_minor),
      .inode = told.stx_ino,
      .size = told.stx_size,
      .modified = {told.stx_mtime.tv_sec, told.stx_mtime.tv_nsec},
      .changed = {told.stx_ctime.tv_sec, told.stx_ctime.tv_nsec},
      .mode = told.stx_mode
  };
}

std::expected<FileFacts, FileFault> facts_at(int directory, const char* name, int flags) noexcept {
  struct statx told{};
  if (statx(directory, name, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &told) != 0)
    return std::unexpected(fault_of(errno));
  return facts_of(told);
}

std::expected<FileFacts, FileFault> facts_of(const Descriptor& file) noexcept {
  return facts_at(file.fd(), "", AT_EMPTY_PATH);
}

std::expected<void, FileFault> done(int result) noexcept {
  if (result != 0) return std::unexpected(fault_of(errno));
  return {};
}

}  // namespace

std::string_view name_of(FileFault fault) noexcept {
  switch (fault) {
    case FileFault::not_found: return "no such file";
    case FileFault::forbidden: return "not permitted";
    case FileFault::not_a_file: return "not a file";
    case FileFault::not_a_directory: return "not a directory";
    case FileFault::bad_name: return "bad name";
    case FileFault::exists: return "it exists";
    case FileFault::not_empty: return "not empty";
    case FileFault::no_space: return "no space";
    case FileFault::would_block: return "not in memory";
    case FileFault::shortage: return "busy, try again";
    case FileFault::cut: return "ending";
    case FileFault::failed: break;
  }
  return "cannot be read";
}

FileFault fault_of(int code) noexcept {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return FileFault::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV:  // out of the tree
    case ELOOP: return FileFault::forbidden;
    case EISDIR:
    case ENXIO:  // a socket, or a device without a driver
    case ENODEV: return FileFault::not_a_file;
    case EEXIST: return FileFault::exists;
    case ENOTEMPTY: return FileFault::not_empty;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return FileFault::no_space;
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return FileFault::shortage;
    case ECANCELED: return FileFault::cut;
    default: return FileFault::failed;
  }
}

std::expected<std::string, FileFault> clean_name(std::string_view name) {
  if (name.size() > longest_name || name.find('\0') != name.npos) return std::unexpected(FileFault::bad_name);
  std::string clean;
  while (!name.empty()) {
    const auto part = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(part.size() + 1, name.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::unexpected(FileFault::bad_name);
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  if (clean.empty()) clean = ".";
  return clean;
}

Tree::Root::Root(Descriptor directory) : directory_(std::move(directory)) { inherit_descriptor(directory_.fd()); }

Tree::Root::~Root() { disinherit_descriptor(directory_.fd()); }

Result<Tree> Tree::open(const std::string& path, Manner manner) {
  Descriptor root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) return system_error("files " + path);
  if (!manner.walks) {
    const Descriptor probe(call_openat2(root.fd(), ".", to_be_looked_at, confined));
    // Linux before 5.6, or a filter for system calls that has not heard of it.
    manner.walks = !probe.is_open() && (errno == ENOSYS || errno == EPERM);
  }
  return Tree(std::make_shared<const Root>(std::move(root)), manner);
}

std::expected<Descriptor, int> Tree::resolve(const std::string& clean, int flags, Look where) const noexcept {
  const bool waits = where == Look::anywhere;
  if (manner_.walks) return waits ? walk(clean, flags) : std::unexpected(EWOULDBLOCK);
  const auto resolve = waits ? confined : confined | RESOLVE_CACHED;
  for (int tries = 0;; ++tries) {
    Descriptor found(call_openat2(root_->fd(), clean.c_str(), flags, resolve));
    if (found.is_open()) return found;
    const int code = errno;
    // EINVAL: Linux before 5.12 does not know RESOLVE_CACHED.
    if (!waits && (code == EAGAIN || code == EINVAL)) return std::unexpected(EWOULDBLOCK);
    if (code != EINTR && (code != EAGAIN || tries == most_tries)) return std::unexpected(code);
  }
}

std::expected<Descriptor, int> Tree::walk(const std::string& clean, int flags) const noexcept {
  Descriptor here;
  std::size_t begin = 0;
  for (;;) {
    const auto end = std::min(clean.find('/', begin), clean.size());
    const bool is_last = end == clean.size();
    const int directory = here.is_open() ? here.fd() : root_->fd();
    const int wanted = is_last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC;
    try {
      const auto part = clean.substr(begin, end - begin);
      Descriptor next(openat(directory, part.c_str(), wanted | O_NOFOLLOW));
      if (!next.is_open()) return std::unexpected(errno);
      here = std::move(next);
    } catch (const std::bad_alloc&) {
      return std::unexpected(ENOMEM);
    }
    if (is_last) return here;
    begin = end + 1;
  }
}

std::expected<void, FileFault> Tree::check(const FileFacts& facts) const noexcept {
  // O_PATH | O_NOFOLLOW finds the link itself.
  if (S_ISLNK(facts.mode)) return std::unexpected(FileFault::forbidden);
  if (!facts.is_file() && !facts.is_directory()) return std::unexpected(FileFault::not_a_file);
  if (manner_.public_only && !facts.is_public()) return std::unexpected(FileFault::forbidden);
  return {};
}

std::expected<Tree::Opened, FileFault> Tree::open_file(const std::string& clean, Look where) const {
  auto file = resolve(clean, to_be_read, where);
  if (!file) {
    const bool would_block = where == Look::in_memory && file.error() == EWOULDBLOCK;
    return std::unexpected(would_block ? FileFault::would_block : fault_of(file.error()));
  }
  const auto facts = facts_of(*file);
  if (!facts) return std::unexpected(facts.error());
  if (!facts->is_file()) return std::unexpected(FileFault::not_a_file);
  if (const auto may = check(*facts); !may) return std::unexpected(may.error());
  return Opened{std::move(*file), *facts};
}

std::expected<FileFacts, FileFault> Tree::look_at(const std::string& clean) const {
  const auto file = resolve(clean, to_be_looked_at, Look::anywhere);
  if (!file) return std::unexpected(fault_of(file.error()));
  const auto facts = facts_of(*file);
  if (!facts) return facts;
  if (const auto may = check(*facts); !may) return std::unexpected(may.error());
  return facts;
}

std::expected<FileFacts, FileFault> Tree::identify(const std::string& clean) const {
  const int flags = manner_.walks ? AT_SYMLINK_NOFOLLOW : 0;
  return facts_at(root_->fd(), clean.c_str(), flags);
}

std::expected<std::vector<Tree::Entry>, FileFault> Tree::list(const std::string& clean, std::size_t most) const {
  auto directory = resolve(clean, to_be_listed, Look::anywhere);
  if (!directory)
    return std::unexpected(directory.error() == ENOTDIR ? FileFault::not_a_directory : fault_of(directory.error()));
  const auto own = facts_of(*directory);
  if (!own) return std::unexpected(own.error());
  if (const auto may = check(*own); !may) return std::unexpected(may.error());

  struct Close {
    void operator()(DIR* stream) const noexcept { closedir(stream); }
  };
  const std::unique_ptr<DIR, Close> stream(fdopendir(directory->fd()));
  if (!stream) return std::unexpected(fault_of(errno));
  (void)directory->release();

  std::vector<Entry> entries;
  while (entries.size() < most) {
    const dirent* found = readdir(stream.get());
    if (!found) break;
    if (found->d_name[0] == '.') continue;
    // By the name as a client would ask for it: a symbolic link is what it leads to, if that is in the tree.
    const std::string name = found->d_name;
    const auto facts = look_at(clean == "." ? name : clean + "/" + name);
    if (facts) entries.push_back({name, *facts});
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

std::expected<Tree::Parent, FileFault> Tree::parent_of(const std::string& clean) const {
  if (clean == ".") return std::unexpected(FileFault::bad_name);
  const auto slash = clean.rfind('/');
  const auto last = slash == clean.npos ? clean : clean.substr(slash + 1);
  // For files of ours that are not whole yet.
  if (last.starts_with('.')) return std::unexpected(FileFault::bad_name);
  auto directory =
      resolve(slash == clean.npos ? "." : clean.substr(0, slash), to_be_looked_at | O_DIRECTORY, Look::anywhere);
  if (!directory) return std::unexpected(fault_of(directory.error()));
  return Parent{std::move(*directory), last};
}

std::expected<void, FileFault> Tree::make_directory(const std::string& clean) const {
  const auto parent = parent_of(clean);
  if (!parent) return std::unexpected(parent.error());
  return done(mkdirat(parent->directory.fd(), parent->last.c_str(), 0755));
}

std::expected<void, FileFault> Tree::remove_file(const std::string& clean) const {
  const auto parent = parent_of(clean);
  if (!parent) return std::unexpected(parent.error());
  return done(unlinkat(parent->directory.fd(), parent->last.c_str(), 0));
}

std::expected<void, FileFault> Tree::remove_directory(const std::string& clean) const {
  const auto parent = parent_of(clean);
  if (!parent) return std::unexpected(parent.error());
  const auto result = done(unlinkat(parent->directory.fd(), parent->last.c_str(), AT_REMOVEDIR));
  if (!result && errno == ENOTDIR) return std::unexpected(FileFault::not_a_directory);
  return result;
}

std::expected<void, FileFault> Tree::rename(const std::string& from, const std::string& to) const {
  const auto source = parent_of(from);
  if (!source) return std::unexpected(source.error());
  const auto target = parent_of(to);
  if (!target) return std::unexpected(target.error());
  return done(renameat2(source->directory.fd(), source->last.c_str(), target->directory.fd(), target->last.c_str(),
                        RENAME_NOREPLACE));
}

}  // namespace superd
