#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/base/clock.h"

namespace superd {

/// How a service that serves files remembers which of them are open.
enum class TableKind : std::uint8_t {
  off,      ///< not at all: every use opens, and closes
  chapter,  ///< by client, as slide 8 has it: hash(IP address, port), first in, first out, believed
  safe,     ///< by file, shared by all clients, least recently used out first, checked at each use
};

/// What a service that serves files is told; plain values, as the configuration has them.
struct FileSettings {
  std::string tree;  ///< the directory that is served: an absolute path; empty: none

  /// Only files that everybody on the machine may read. A tree is often an administrator's directory, and what lies in
  /// it by mistake mostly is not for everybody.
  bool public_only = true;

  /// Where clients may write: a directory of its own, or the one that is served; empty: nowhere.
  std::string uploads;
  bool overwrite = false;  ///< uploads may replace files that are there

  /// The longest upload. A boot image is some ten megabytes, and who has more knows it.
  std::uint64_t upload_size = 64 << 20;

  TableKind table = TableKind::safe;
  /// Files that are kept open. A hundred boards of one kind want a handful.
  int table_files = 64;
  /// After which a file that nobody has used is closed: so its disk can be unmounted, and its space comes back when it
  /// was deleted.
  Millis table_idle{20'000};
  /// Clients that are remembered, in all and of one /24 or /56: a few hundred bytes each.
  int table_clients = 4096;
  int table_per_prefix = 512;

  /// Rules that change names before they are looked up (services/tftp/remap.h).
  std::vector<std::string> remap;
  /// A file is first looked for in the directory of the tree that is called as the client's address.
  bool client_directories = false;

  // TFTP's: what the server grants at most (RFC 2348, RFC 7440). Anything a datagram can hold; and some 90 KB of a
  // client's blocks in flight, above which nothing is gained and much is lost at once.
  int block_size = 65'464;
  int window_size = 64;

  friend bool operator==(const FileSettings&, const FileSettings&) = default;
};

}  // namespace superd
