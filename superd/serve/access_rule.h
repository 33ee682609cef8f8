#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/error.h"
#include "superd/net/endpoint.h"

namespace superd {

/// One item of `allow` or `deny`: who is meant by it.
struct AccessRule {
  enum class Kind : std::uint8_t {
    network,   ///< "10.0.0.0/8", "::1"
    set_file,  ///< "@/etc/superd/friends": networks, one a line
  };

  Kind kind = Kind::network;
  Network network;
  std::string path;  ///< of a set file

  static Result<AccessRule> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  ///< as parse() reads it
  friend bool operator==(const AccessRule&, const AccessRule&) = default;
};

using AccessRules = std::vector<AccessRule>;

}  // namespace superd
