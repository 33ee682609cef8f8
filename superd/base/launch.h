#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "superd/base/confinement.h"

namespace superd {

/// A program and all that it is started with, resolved beforehand: starting it looks nothing up. Plain values; a
/// Launcher does it.
struct Launch {
  /// Whose rights it has.
  struct Identity {
    std::string name;  ///< as it was asked for
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups;  ///< supplementary ones
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  /// Both bounds of a resource of setrlimit(2).
  struct Bound {
    int resource = RLIMIT_NOFILE;
    rlim_t most = RLIM_INFINITY;
    friend bool operator==(const Bound&, const Bound&) = default;
  };

  std::vector<std::string> words;        ///< its path, absolute, and its arguments
  std::vector<std::string> environment;  ///< all of it, as NAME=value
  std::optional<Identity> identity;      ///< none: the caller's
  std::string root;                      ///< chroot(2); empty: the caller's
  std::string directory = "/";           ///< its working directory, within `root`
  mode_t mask = 022;                     ///< umask(2)
  int nice = 0;                          ///< added to the caller's
  std::vector<Bound> bounds;
  bool no_new_privileges = false;  ///< no set-user-id program can raise its rights (PR_SET_NO_NEW_PRIVS)
  Confinement confinement;
  Share share;

  friend bool operator==(const Launch&, const Launch&) = default;
};

}  // namespace superd
