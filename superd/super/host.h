#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "superd/config/service_table.h"
#include "superd/designs/design.h"
#include "superd/super/bind.h"
#include "superd/super/nursery.h"
#include "superd/super/refresher.h"

namespace superd {

/// What serves: is handed bound sockets and a table, and runs each service under its design. It binds nothing and needs
/// no privileges, so that a process boundary can stand between it and whoever does.
///
/// One thread makes the calls; the serving happens in the threads of the designs.
class Host {
 public:
  Host() : own_ports_(std::make_shared<OwnPorts>()) {}
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  /// Cuts what is still under way.
  ~Host();

  /// Before serve(): the conversations of all its services count towards this level as well, which other hosts may share.
  /// Without it, serve() makes one where the table wants it.
  void share(std::shared_ptr<OverallLevel> overall) noexcept { overall_ = std::move(overall); }

  /// Begins to serve. On an error nothing is served, and the host is done.
  Result<> serve(const ServiceTable& table, std::vector<BoundListener> bound);

  /// Serves one more service with a handler of the caller's own: the library without a configuration.
  Result<> serve(const ServiceSettings& settings, std::shared_ptr<Service> handler, std::vector<BoundListener> bound);

  /// Before serve(), and before this process has threads: designs may be changed to those that fork, too, while it serves.
  /// Costs a process that sleeps. Without it, there is one where a design of the table forks.
  void prepare_changes() noexcept { may_change_ = true; }

  /// Other designs and limits from now on, for the services there are: each listening socket stays open, the new design
  /// takes clients in as soon as the old one has let go, and the old one ends its conversations, each of them within its
  /// own `total`. What cannot change while it runs (services, handlers, where they listen) is named in the answer and stays
  /// as it is; so does a service whose new design cannot be made. Empty: all that was wanted is so.
  std::vector<std::string> change(const ServiceTable& wanted);

  /// When tend() has something to do; `never` when it has not.
  [[nodiscard]] Time next_tending() const noexcept;

  /// To be called after each SIGCHLD, and at next_tending(). False when a process is lost that cannot be replaced from here, and with it all
  /// services under designs that fork: the host should end, and be started anew.
  bool tend() noexcept;

  /// Takes nobody in any more, but for those in the backlogs; then closes what streams came in by, so that new clients
  /// are refused. True when that is done; false: call again in a while.
  bool close() noexcept;
  /// Ends all conversations.
  void cut() noexcept;
  /// Conversations under way.
  [[nodiscard]] int level() const noexcept;

  /// What each design tells of itself, by the name of the services or settings that share it.
  [[nodiscard]] std::vector<std::pair<std::string, Report>> reports() const;

  [[nodiscard]] std::span<const std::shared_ptr<HostedService>> hosted() const noexcept { return hosted_; }

 private:
  Result<> open(const ServiceSettings& settings, std::shared_ptr<Service> handler, std::vector<BoundListener> bound);
  Result<> open_designs();
  Result<> prepare_nursery();
  /// The services that share one design, hence its threads.
  struct Group {
    DesignSettings settings;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::size_t opened = 0;  ///< how many of them the design has; later calls of serve() may bring more
    std::unique_ptr<Design> design;

    [[nodiscard]] Listeners fresh() const noexcept { return std::span(listeners).subspan(opened); }
    [[nodiscard]] bool forks() const noexcept;
  };
  using Groups = std::map<std::string, Group>;
  /// A design that takes nobody in any more, with the conversations that it still has.
  struct Retired {
    std::unique_ptr<Design> design;
    std::vector<std::shared_ptr<Listener>> listeners;
  };
  // Each has threads of its own: who changes faster than conversations end has to wait.
  static constexpr std::size_t most_retired = 32;
  Result<std::unique_ptr<Design>> make(const Group&);
  static std::string group_of(const ServiceSettings&);

  using Settings = std::map<std::string, ServiceSettings>;
  Settings possible_settings(const ServiceTable& wanted, std::vector<std::string>& complaints) const;
  void change_limits(Settings& wanted, std::vector<std::string>& complaints);
  Groups groups_for(const Settings& wanted) const;
  bool is_unchanged(const std::string& name, const Group& group) const noexcept;
  Result<> make_changed(Groups& groups);
  Result<> open_changed(Groups& groups);
  void end_retired() noexcept;
  void heal_overall() noexcept;

  std::shared_ptr<OwnPorts> own_ports_;
  std::shared_ptr<OverallLevel> overall_;
  Time next_healing_ = never;
  std::vector<std::shared_ptr<HostedService>> hosted_;
  std::vector<std::shared_ptr<Nursery>> nurseries_;  // the last one knows the most services
  std::size_t known_ = 0;                            ///< of hosted_, to the last nursery
  bool may_change_ = false;
  Settings settings_;  // by name, as they are in force
  // Last: the designs end before the services.
  Groups groups_;
  std::vector<Retired> retired_;
  Refresher refresher_;
};

struct Drained {
  int cut = 0;    ///< conversations that had to be ended
  int stuck = 0;  ///< handlers that did not return even so; their threads cannot be waited for
};

/// Closes, lets conversations finish for at most `patience`, cuts those that remain, and gives their handlers a few
/// seconds to return. `hurry` is asked again and again: true cuts at once.
Drained drain(Host& host, Millis patience, const std::function<bool()>& hurry);

}  // namespace superd
