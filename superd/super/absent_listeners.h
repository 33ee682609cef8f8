#pragma once

#include <vector>

#include "superd/base/clock.h"
#include "superd/super/bind.h"

namespace superd {

/// Listeners whose addresses are not there yet (when_absent = "retry"): tried again, all together, after a second, then
/// after twice as long each time, up to half a minute; looking costs next to nothing. One thread makes the calls;
/// try_again() needs the privileges that the ports need.
class AbsentListeners {
 public:
  static constexpr Millis first_pause{1'000}, longest_pause{30'000};

  /// These are missing, and no others any more: what bind_present() or rebind() has told. Says so in the log, once for
  /// each.
  void set(std::vector<AbsentListener> missing, Time now);

  /// When to try again; `never`: nothing is missing.
  [[nodiscard]] Time next() const noexcept { return missing_.empty() ? never : due_; }
  /// Those that are there now, bound, for Host::change(). One that fails for another reason than before says so in the
  /// log, and is tried on.
  [[nodiscard]] std::vector<BoundListener> try_again(Time now);

  [[nodiscard]] std::size_t count() const noexcept { return missing_.size(); }

 private:
  std::vector<AbsentListener> missing_;
  Millis pause_ = first_pause;
  Time due_ = never;
};

}  // namespace superd
