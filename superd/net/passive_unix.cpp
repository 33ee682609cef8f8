#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "superd/net/passive.h"

namespace superd {
namespace {

std::unexpected<Error> refused(const Endpoint& endpoint, int code, const std::string& remedy) {
  auto failure = system_error("bind " + endpoint.text(), code);
  if (!remedy.empty()) failure.error().what += "; " + remedy;
  return failure;
}

std::string remedy_for(int code) {
  switch (code) {
    case EACCES:
    case EPERM: return "the folder must be writable for this user";
    case ENOENT: return "the folder is missing: create it";
    case EROFS: return "the file system is read-only: choose another path";
    default: return "";
  }
}

std::unexpected<Error> failed(const std::string& doing, const Endpoint& endpoint) {
  return system_error(doing + ' ' + endpoint.text());
}

/// Holds the folder's flock(2) while a stale file is replaced. Two servers that start at once would both find it stale,
/// and the slower one remove the faster one's new socket; a lock on the folder leaves no file behind.
Result<Socket> lock_folder(const Endpoint& endpoint) {
  const std::string path(endpoint.path());
  const auto slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  Socket lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Who may write into the folder but not read it cannot lock it; then the race, which is rare, is nobody's loss but ours.
  if (!lock.is_open()) return lock;
  const auto end = Clock::now() + Seconds(1);
  while (::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return lock;
    if (Clock::now() >= end)
      return refused(endpoint, EAGAIN, "another program holds a lock on " + folder + ": start again");
    std::this_thread::sleep_for(Millis(10));
  }
  return lock;
}

/// Removes what is at the path, provided that it is a socket and nobody listens on it.
Result<> remove_stale(const Endpoint& endpoint) {
  const std::string path(endpoint.path());
  struct stat there{};
  if (::lstat(path.c_str(), &there) != 0) return errno == ENOENT ? Result<>{} : failed("look at", endpoint);
  if (!S_ISSOCK(there.st_mode))
    return refused(endpoint, EADDRINUSE,
                   "a file that is not a socket is there, and stays: choose another path or remove it");

  const Socket probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return failed("open a socket for", endpoint);
  const int code = ::connect(probe.fd(), endpoint.address(), endpoint.size()) == 0 ? 0 : errno;
  // EAGAIN: its queue is full. EPROTOTYPE: it speaks datagrams. Either way somebody lives there.
  if (code == 0 || code == EAGAIN || code == EPROTOTYPE)
    return refused(endpoint, EADDRINUSE,
                   "another program listens there: choose another path or stop it (ss -xlp shows it)");
  if (code == ENOENT) return {};
  if (code != ECONNREFUSED) return refused(endpoint, code, "it cannot be told whether somebody listens there");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove the stale", endpoint);
  return {};
}

/// Until listen(2) nobody can connect, so nobody slips in before the mode and the owner are right.
Result<> open_to_clients(const Socket& socket, const Endpoint& endpoint, const ListenOptions& options) {
  const std::string path(endpoint.path());
  if (::chmod(path.c_str(), options.mode) != 0) return failed("set the mode of", endpoint);
  const auto owner = options.owner.value_or(static_cast<uid_t>(-1));
  const auto group = options.group.value_or(static_cast<gid_t>(-1));
  if ((options.owner || options.group) && ::lchown(path.c_str(), owner, group) != 0) {
    auto failure = failed("set the owner of", endpoint);
    failure.error().what += "; only root may give files away, and others only to groups they are in";
    return failure;
  }
  if (::listen(socket.fd(), options.backlog) != 0) return failed("listen on", endpoint);
  return {};
}

}  // namespace

Result<Socket> passive_unix(const ListenAddress& address, const ListenOptions& options) {
  if (address.transport != Transport::unix_stream) broken("passive_unix for another transport");
  const auto& endpoint = address.endpoint;
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failed("open a socket for", endpoint);

  Socket lock;
  int code = ::bind(socket.fd(), endpoint.address(), endpoint.size()) == 0 ? 0 : errno;
  if (code == EADDRINUSE) {
    auto locked = lock_folder(endpoint);
    if (!locked) return std::unexpected(locked.error());
    lock = std::move(*locked);
    if (const auto removed = remove_stale(endpoint); !removed) return std::unexpected(removed.error());
    code = ::bind(socket.fd(), endpoint.address(), endpoint.size()) == 0 ? 0 : errno;
  }
  if (code != 0) return refused(endpoint, code, remedy_for(code));

  if (const auto opened = open_to_clients(socket, endpoint, options); !opened) {
    ::unlink(std::string(endpoint.path()).c_str());
    return std::unexpected(opened.error());
  }
  return socket;
}

}  // namespace superd
