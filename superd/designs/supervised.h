#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "superd/designs/design.h"
#include "superd/designs/supervisor.h"

namespace superd {

/// A design whose work is done by other processes: for the listeners of each open() it forks a Supervisor, and asks it
/// over a channel. To be opened, and tended, by a process that has one thread.
class Supervised final : public Design {
 public:
  /// Runs in the new process.
  using Make = std::function<Result<std::unique_ptr<Supervisor>>(Listeners)>;

  /// `role` is what a supervisor is called in logs and by ps(1).
  Supervised(std::string role, Make make);
  /// Leaves no process behind; waits a few seconds at the most.
  ~Supervised() override;

  Result<> open(Listeners listeners) override;
  bool close() noexcept override;
  // Whoever of its processes still waits at the door is told, and takes one client more at the most.
  bool leave() noexcept override {
    (void)close();
    return true;
  }
  bool is_done() noexcept override;
  void cut() noexcept override;
  Time tend() noexcept override;

 private:
  struct Post;

  Result<> start(Post&);
  [[noreturn]] void supervise(const Post&, Socket channel) noexcept;
  bool has_closed(Post&) noexcept;

  const std::string role_;
  const Make make_;
  std::list<Post> posts_;
};

}  // namespace superd
