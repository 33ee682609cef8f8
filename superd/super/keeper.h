#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "superd/config/service_table.h"
#include "superd/super/absent_listeners.h"
#include "superd/super/files_of_limits.h"
#include "superd/super/kept_host.h"
#include "superd/super/life.h"
#include "superd/super/log_writer.h"
#include "superd/super/pid_file.h"
#include "superd/super/service_manager.h"

namespace superd {

using Errors = std::vector<std::string>;

/// What superd is made of: one thread that holds the privileges, the listening sockets, the scoreboards and the
/// processes, and speaks with no client. It binds what the table wants, forks the hosts that serve it, starts anew those
/// that die or hang, and changes all of it when the file does. A client never reaches it, and whatever happens to a host,
/// new clients wait in the backlogs of sockets that stay open here.
///
/// Made before the process has threads; it never makes any, so that it may fork at any time.
class Keeper {
 public:
  /// How the table is read again: all of it, or every error.
  using Reader = std::function<std::expected<ServiceTable, Errors>()>;

  /// `read_again` is called at each SIGHUP; null: there is nothing to read. `file` is where it reads, for messages.
  explicit Keeper(std::string file, Reader read_again) : file_(std::move(file)), read_again_(std::move(read_again)) {}
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  /// Hosts that are still there see their channel end, and drain.
  ~Keeper() = default;

  /// Binds everything and starts every host. On errors, nothing is served.
  std::expected<void, Errors> start(ServiceTable table);

  /// Serves until a signal ends it: SIGTERM and SIGINT drain, a second one cuts; SIGHUP reads the table again; SIGUSR1
  /// reopens the log; SIGUSR2 logs counters and decisions.
  [[nodiscard]] ExitCode run();

 private:
  std::expected<void, Errors> prepare(const ServiceTable&);
  void take_inherited();

  // Hosts.
  static std::vector<HostPlan> plans_for(const ServiceTable&);
  enum class Begins : std::uint8_t { first, in_place_of_another };
  Result<> start_host(KeptHost&, Begins = Begins::first);
  HostPost post_for(const HostPlan&, Begins);
  void start_anew(KeptHost&);
  Time look_after_all(Time now);
  Time look_after_hosts(Time now);
  void reap();
  void note_end(KeptHost&, int status);
  [[nodiscard]] bool is_served_elsewhere(const std::string& service, const KeptHost&) const;

  void obey(int signal);
  void show();
  [[nodiscard]] int level() const noexcept;
  void reopen_log();

  // Changes (keeper_change.cpp).
  using SocketsByHost = std::map<std::string, std::set<int>>;
  void reload();
  void change_overall_level(int before, Errors& complaints);
  void change_log(Errors& complaints);
  std::expected<Errors, Errors> change_to(ServiceTable wanted);
  [[nodiscard]] std::vector<HeldSocket> held_sockets() const;
  [[nodiscard]] SocketsByHost sockets_by_host() const;
  void follow_ports();
  std::vector<BoundListener> take_over(const ServiceTable& before, std::vector<BoundListener> fresh);
  void retire_hosts(const std::function<bool(const HostPlan&)>& shall_go);
  void change_hosts(const ServiceTable& before, const SocketsByHost&, std::vector<HostPlan>, Errors& complaints);
  Result<> tell_change(KeptHost&, const HostPlan&, const ServiceTable& before, const SocketsByHost&);
  void serve_come(std::vector<BoundListener> fresh);
  [[nodiscard]] KeptHost* find_host(const std::string& name) const;
  void drop_boards();

  // The end.
  void begin_drain(int signal);
  void cut();
  [[nodiscard]] ExitCode end();

  const std::string file_;
  const Reader read_again_;
  const ServiceManager manager_;
  ServiceTable table_;
  std::optional<Launch::Identity> host_user_;
  std::optional<PidFile> pid_file_;
  std::unique_ptr<LogWriter> log_;
  std::vector<BoundListener> listeners_;
  AbsentListeners absent_;
  Boards boards_;
  KnownSets known_sets_;  ///< as of the table that is in force
  std::shared_ptr<OverallLevel> overall_;
  const std::shared_ptr<OwnPorts> own_ports_ = OwnPorts::shared();  // a host must not answer another one's port
  Time heal_at_ = never;                                            ///< the overall level, where there is one
  std::vector<std::unique_ptr<KeptHost>> hosts_;
  bool is_draining_ = false;
  Time alive_at_ = never;  ///< when the service manager shall hear of us, where it wants to
  Time kill_at_ = never;
  Drained drained_;
};

}  // namespace superd
