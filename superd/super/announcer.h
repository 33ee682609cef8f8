#pragma once

#include <memory>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/multicast.h"
#include "superd/serve/listener.h"

namespace superd {

/// Sends what services announce to the groups of their listeners: at once when they begin or change, then as often as they
/// want, and a farewell at their end. One thread.
class Announcer {
 public:
  /// From now on those that are added, and no others.
  void begin() noexcept { stands_.clear(); }
  void add(std::shared_ptr<Listener> listener, std::vector<Membership> groups);

  [[nodiscard]] Time next() const noexcept;
  void tend(Time now);
  /// Takes leave of the groups.
  void end();
  /// The same without a word: others go on.
  void stop() noexcept { stands_.clear(); }

 private:
  struct Stand {
    std::shared_ptr<Listener> listener;
    std::vector<Membership> groups;
    Time next{};
  };
  static void send(const Stand& stand, std::string_view text) noexcept;

  std::vector<Stand> stands_;
};

}  // namespace superd
