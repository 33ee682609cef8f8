#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"
#include "superd/serve/access_list.h"
#include "superd/serve/banner.h"
#include "superd/serve/limits.h"
#include "superd/serve/rate_table.h"
#include "superd/serve/refusal.h"

namespace superd {

/// Decides who may come in now, by where from, when, how busy the machine is, and how often; before there is a seat for
/// him. How many are in is the Level's matter. A decision never waits for a file, a name or another thread. Thread-safe.
class Admission {
 public:
  /// What tells the load, and the time on the wall; parameters for tests.
  using LoadNow = double (*)(Time) noexcept;
  using WallTime = std::time_t (*)() noexcept;

  /// `rates` is shared memory; it and `limits` must outlive this. Set files and banners are not read before change().
  Admission(const LimitsInForce& limits, RateTable& rates) noexcept;
  void set_world(LoadNow load, WallTime wall) noexcept;

  /// Reads what these limits want read. On an error everything stays as it was. With `known` it is no error that a file
  /// cannot be read: see AccessList::make(); there is no banner then. One thread at a time.
  Result<> change(const Limits& wanted, const KnownSets* known = nullptr);

  /// Yes; not before some time has passed; or why not.
  struct Answer {
    enum class Kind : std::uint8_t { yes, later, no } kind = Kind::yes;
    Refusal why = Refusal::access;
    Clock::duration wait{};
  };
  /// For a connection. What is to come later is counted towards its rate already. `patience`: how long it can be kept.
  [[nodiscard]] Answer admit(const Endpoint& from, const ClientKey& client, Time now,
                             Clock::duration patience) noexcept;
  /// For a datagram, whose rate is another one (serve/answer_guard.h).
  [[nodiscard]] Answer admit(const Endpoint& from, Time now) noexcept;

  /// The machine is so busy that nobody new is let in.
  [[nodiscard]] bool is_overloaded(Time now) const noexcept {
    return limits_->max_load < Limits::no_load_limit && load_(now) >= limits_->max_load;
  }

  [[nodiscard]] const Banner& banner() const noexcept { return *in_force()->accepted; }
  [[nodiscard]] const Banner& banner_refused() const noexcept { return *in_force()->refused; }

  /// Looks whether files have changed that limits name. Whoever calls it once a second says so first: otherwise whoever
  /// decides does it, in a process that has no other thread for it.
  void refresh() noexcept;
  void note_refreshed_by(pid_t process) noexcept { refreshed_by_.store(process, std::memory_order_relaxed); }
  [[nodiscard]] bool has_files() const noexcept { return in_force()->has_files(); }

 private:
  /// What was read.
  struct Texts {
    AccessRules allow, deny;
    std::string banner, banner_refused;
    std::unique_ptr<AccessList> access;  ///< null: everybody may come
    std::unique_ptr<Banner> accepted, refused;
    [[nodiscard]] bool has_files() const noexcept;
  };
  static Result<std::unique_ptr<Texts>> read(const Limits&, const KnownSets* known);
  [[nodiscard]] const Texts* in_force() const noexcept { return in_force_.load(std::memory_order_acquire); }

  [[nodiscard]] bool has_access(const Endpoint& from, Time now) noexcept;
  [[nodiscard]] bool is_open_now() noexcept;
  void refresh_if_due(Time now) noexcept;

  const LimitsInForce& limits_;
  RateTable& rates_;
  LoadNow load_;
  WallTime wall_;
  // Whoever reads may keep what it has read, as in LimitsInForce.
  std::vector<std::unique_ptr<Texts>> all_;
  std::atomic<const Texts*> in_force_;
  std::atomic<pid_t> refreshed_by_{0};
  std::atomic<Clock::rep> refresh_due_{0};
  /// The minute of the wall clock that was looked at last, for which limits, and whether it is one of their hours.
  std::atomic<std::uint64_t> looked_at_{0};
};

}  // namespace superd
