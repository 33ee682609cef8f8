#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "superd/base/error.h"
#include "superd/net/endpoint.h"
#include "superd/serve/service.h"
#include "superd/services/beacon/beacon_settings.h"
#include "superd/services/files/file_settings.h"

namespace superd {

/// What the configuration tells a handler.
struct HandlerSettings {
  FileSettings files;
  std::vector<Network> addresses;  ///< of ours, for which pings are answered; empty: all
  BeaconSettings beacon;

  friend bool operator==(const HandlerSettings&, const HandlerSettings&) = default;
};

/// A row of the table of built-in services.
struct ServiceEntry {
  std::string_view name;
  std::string_view what;
  bool streams, datagrams;  ///< over which transports it can be served
  bool serves_files;        ///< and needs to be told which
  /// The protocols of IP that it serves over raw listeners, by their numbers.
  std::span<const std::uint8_t> packets;
  /// What of ICMP it receives where nothing else is said.
  std::string_view icmp_type;
  /// An error where what the settings name is not to be had, as a directory that is not there.
  Result<std::shared_ptr<Service>> (*make)(const HandlerSettings&);
};

[[nodiscard]] std::span<const ServiceEntry> services() noexcept;
[[nodiscard]] const ServiceEntry* find_service(std::string_view name) noexcept;
/// A listener that it can have, as the configuration writes it: for where there must be one.
[[nodiscard]] std::string_view some_listener(const ServiceEntry&) noexcept;
/// What its listeners begin with, for messages: "tcp or unix", "udp", "raw/icmp or raw6/icmp6".
[[nodiscard]] std::string_view some_transports(const ServiceEntry&) noexcept;

std::shared_ptr<Service> make_echo();
std::shared_ptr<Service> make_discard();
std::shared_ptr<Service> make_chargen();
std::shared_ptr<Service> make_daytime();
std::shared_ptr<Service> make_time();
std::shared_ptr<Service> make_qotd();
std::shared_ptr<Service> make_slow();
Result<std::shared_ptr<Service>> make_fsp(const HandlerSettings&);
Result<std::shared_ptr<Service>> make_tftp(const HandlerSettings&);
std::shared_ptr<Service> make_beacon(const BeaconSettings& settings);
std::shared_ptr<Service> make_icmp_echo(const std::vector<Network>& addresses);
std::shared_ptr<Service> make_icmp_log();
std::shared_ptr<Service> make_igmp_log();
std::shared_ptr<Service> make_ip_echo();

}  // namespace superd
