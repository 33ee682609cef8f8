#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "superd/designs/design.h"
#include "superd/super/channel.h"
#include "superd/super/nursery_order.h"

namespace superd {

/// A process of one thread that is forked before this one has others, so that designs which fork can be opened at any
/// time: it opens them, closes them, and starts anew what dies of them. It holds no listening socket but those it is
/// given with a design, and ends, with all processes of its designs, when this object or this process does. It learns
/// services that come later, with their scoreboards, unless their handlers are the caller's own.
///
/// One thread makes the calls, those of its designs included; each waits for the answer, a matter of microseconds.
class Nursery : public std::enable_shared_from_this<Nursery> {
 public:
  using Services = std::vector<std::shared_ptr<HostedService>>;

  /// `known`: the services that there are. `own_ports`: in shared memory, so that it stays right over there.
  static Result<std::shared_ptr<Nursery>> start(Services known, std::shared_ptr<const OwnPorts> own_ports = nullptr);
  ~Nursery();
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  /// A design that lives over there. It keeps the nursery.
  [[nodiscard]] std::unique_ptr<Design> make(const DesignSettings&);

  /// False when the process has died, and with it all that its designs served.
  [[nodiscard]] bool is_alive() noexcept;
  [[nodiscard]] pid_t process() const noexcept { return process_; }

 private:
  friend class RemoteDesign;

  Nursery() = default;

  /// What was done over there, or what went wrong. False: not yet.
  Result<bool> ask(nursery::Verb, std::uint32_t design, std::string_view order = {},
                   std::span<const int> descriptors = {}) noexcept;
  [[nodiscard]] std::uint32_t next_number() noexcept { return ++last_number_; }

  pid_t process_ = -1;
  Channel channel_;
  std::uint32_t last_number_ = 0;
};

}  // namespace superd
