#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "superd/config/service_table.h"
#include "superd/designs/design.h"
#include "superd/super/announcer.h"
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
  Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  /// Cuts what is still under way.
  ~Host();

  /// Before serve(): the conversations of all its services count towards this level as well, which other hosts may share.
  /// Without it, serve() makes one where the table wants it.
  void share(std::shared_ptr<OverallLevel> overall) noexcept { overall_ = std::move(overall); }

  /// Before serve(): the ports that no answer goes to are these, which somebody else keeps, for other hosts too. Without
  /// it, they are those of this host.
  void share(std::shared_ptr<OwnPorts> ports) noexcept {
    own_ports_ = std::move(ports);
    keeps_ports_ = false;
  }

  /// Before serve(): one that served the same has died, and its clients wait. Files of access lists and banners that
  /// cannot be read are no reason not to begin: what is known of them holds, see AccessList::make().
  void go_on_with(KnownSets known) { known_sets_ = std::move(known); }

  /// Begins to serve. On an error nothing is served, and the host is done.
  Result<> serve(const ServiceTable& table, std::vector<BoundListener> bound);

  /// Serves one more service with a handler of the caller's own: the library without a configuration.
  Result<> serve(const ServiceSettings& settings, std::shared_ptr<Service> handler, std::vector<BoundListener> bound);

  /// Before the service is served: it counts on this scoreboard, which another process keeps, instead of one of its own.
  void use_board(const std::string& service, std::shared_ptr<const Scoreboard> board) {
    boards_.insert_or_assign(service, std::move(board));
  }

  /// Before close(): other hosts have taken over its services. What it does from now on concerns its own conversations.
  void retire() noexcept {
    is_retired_ = true;
    announcer_.stop();
  }

  /// Before change() removes these services: another process serves them from now on, at the same sockets, which stay.
  void hand_over(const std::vector<std::string>& services) { handed_over_.insert(services.begin(), services.end()); }

  /// Before serve(), and before this process has threads: designs may be changed to those that fork, too, while it serves.
  /// Costs a process that sleeps. Without it, there is one where a design of the table forks.
  void prepare_changes() noexcept { may_change_ = true; }

  /// Instead of that, where no design makes a thread: processes are forked from this one, without a nursery between. All
  /// services must be under designs that fork.
  void fork_from_here() noexcept { forks_from_here_ = true; }

  /// Serves this table from now on. `fresh`: the sockets that it needs beside those that are here, as rebind() finds them
  /// (super/rebind.h); an address without a socket is not served.
  ///
  /// Services that are the same in both do not notice. One that differs keeps its scoreboard, and the sockets of the
  /// addresses that stay: conversations go on under the handler, the design and, each within its own `total`, the limits
  /// that they began with; the next ones begin under what is wanted. One that is gone takes in who is in its backlog,
  /// closes, and ends its conversations. Services with a handler of the caller's own that are not in the table stay.
  ///
  /// Empty: all that was wanted is so. Else a line for each that is not; when a design cannot be made, nothing is changed.
  std::vector<std::string> change(const ServiceTable& wanted, std::vector<BoundListener> fresh = {});

  /// The sockets that are listened on, for rebind(); valid until the next change.
  [[nodiscard]] std::vector<HeldSocket> sockets() const;

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
  /// Conversations under way; of one that has been retired 1 as long as there are any.
  [[nodiscard]] int level() const noexcept;

  /// What each design tells of itself, by the name of the services or settings that share it.
  [[nodiscard]] std::vector<std::pair<std::string, Report>> reports() const;

  /// In the order in which they came; not those that have been removed.
  [[nodiscard]] std::span<const std::shared_ptr<HostedService>> hosted() const noexcept { return hosted_; }

 private:
  using Settings = std::map<std::string, ServiceSettings>;
  using Sockets = std::vector<std::shared_ptr<Listener>>;
  using ListenerSet = std::unordered_set<std::shared_ptr<Listener>>;
  /// A listener, and the place it was bound for.
  struct Stand {
    ListenAddress address;
    std::uint16_t port_base;
    std::shared_ptr<Listener> listener;
  };

  Result<std::shared_ptr<HostedService>> hosted_for(const ServiceSettings&, std::shared_ptr<Service> handler);
  Result<> open(const ServiceSettings& settings, std::shared_ptr<Service> handler, std::vector<BoundListener> bound,
                std::uint16_t port_base);
  Result<> open_designs();
  Result<> prepare_nursery();
  /// The services that share one design, hence its threads.
  struct Group {
    DesignSettings settings;
    Sockets listeners;
    std::size_t opened = 0;  ///< how many of them the design has; later calls of serve() may bring more
    std::unique_ptr<Design> design;

    [[nodiscard]] Listeners fresh() const noexcept { return std::span(listeners).subspan(opened); }
    [[nodiscard]] bool forks() const noexcept;
  };
  using Groups = std::map<std::string, Group>;
  /// A design that takes nobody in any more, or only those in the backlogs, with the conversations that it still has.
  struct Retired {
    std::unique_ptr<Design> design;
    Sockets listeners;
    bool closes = false;  ///< nobody takes the listeners over
    bool closed = false;
  };
  /// Listeners that go while their design stays.
  struct Parting {
    Design* design;
    Sockets listeners;
    bool closes;  ///< as above
  };
  // Each has threads of its own: who changes designs faster than conversations end has to wait.
  static constexpr std::size_t most_retired = 32;
  Result<std::unique_ptr<Design>> make(const Group&);
  static std::string group_of(const ServiceSettings&);

  /// All that is to be, before anything has changed.
  struct Next {
    Settings settings;
    std::set<std::string_view> unlisted;  ///< of the caller's own, with names of `hosted`
    std::vector<std::shared_ptr<HostedService>> hosted;
    std::vector<Stand> stands;
    Groups groups;                 ///< without designs where those there are stay
    ListenerSet removed;           ///< of those there are, that nobody takes over
    std::vector<Retired> closing;  ///< designs made to take in who waits at removed ones
  };
  using Complaints = std::vector<std::string>;
  Result<Next> next_for(const ServiceTable& wanted, std::vector<BoundListener> fresh, Complaints& complaints);
  Settings settings_for(const ServiceTable& wanted, Complaints& complaints) const;
  [[nodiscard]] bool is_own(const HostedService&) const noexcept;
  Result<> find_stands(Next& next, std::vector<BoundListener> fresh, std::uint16_t port_base) const;
  static void group(Next& next);
  [[nodiscard]] bool stays(const Group& now, const Group& next, const Settings& settings) const noexcept;
  Result<> make_designs(Next& next);
  void apply(Next& next, Complaints& complaints);
  static void change_limits(HostedService&, ServiceSettings&, Complaints&);
  void let_go(Next& next);
  void retire(Group& group, const ListenerSet& removed);
  void part(Group& group, const Group& next, const ListenerSet& removed);
  void refuse_newcomers(std::span<const std::shared_ptr<Listener>>) const noexcept;
  void follow_ports();
  void end_retired() noexcept;
  void end_partings() noexcept;
  void heal_overall() noexcept;
  void follow_groups();
  [[nodiscard]] bool is_done() const noexcept;

  std::shared_ptr<OwnPorts> own_ports_;
  bool keeps_ports_ = true;              ///< nobody else does
  std::optional<KnownSets> known_sets_;  ///< until it serves
  std::shared_ptr<OverallLevel> overall_;
  Time next_healing_ = never;                                        ///< of an overall level of its own
  std::map<std::string, std::shared_ptr<const Scoreboard>> boards_;  // of services that are not served yet
  std::vector<std::shared_ptr<HostedService>> hosted_;
  std::vector<std::shared_ptr<Nursery>> nurseries_;  // the last one knows the most services
  std::size_t known_ = 0;                            ///< of hosted_, to the last nursery
  bool may_change_ = false;
  bool forks_from_here_ = false;
  bool is_retired_ = false;
  Time designs_due_ = never;  ///< when one of them has something to tend
  Settings settings_;         // by name, as they are in force
  std::vector<Stand> stands_;
  std::set<std::string, std::less<>> handed_over_;
  std::vector<std::shared_ptr<HostedService>> leaving_;  // removed, with conversations
  // Last: the designs end before the services.
  Groups groups_;
  std::vector<Parting> partings_;
  std::vector<Retired> retired_;
  Refresher refresher_;
  Announcer announcer_;
};

struct Drained {
  int cut = 0;    ///< conversations that had to be ended
  int stuck = 0;  ///< handlers that did not return even so; their threads cannot be waited for
};

/// Closes, lets conversations finish for at most `patience`, cuts those that remain, and gives their handlers a few
/// seconds to return. `hurry` is asked again and again: true cuts at once.
Drained drain(Host& host, Millis patience, const std::function<bool()>& hurry);

}  // namespace superd
