#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "superd/base/error.h"
#include "superd/serve/service.h"
#include "superd/services/files/file_settings.h"

namespace superd {

/// What the configuration tells a handler.
struct HandlerSettings {
  FileSettings files;

  friend bool operator==(const HandlerSettings&, const HandlerSettings&) = default;
};

/// A row of the table of built-in services.
struct ServiceEntry {
  std::string_view name;
  std::string_view what;
  bool streams, datagrams;  ///< over which transports it can be served
  bool serves_files;        ///< and needs to be told which
  /// An error where what the settings name is not to be had, as a directory that is not there.
  Result<std::shared_ptr<Service>> (*make)(const HandlerSettings&);
};

[[nodiscard]] std::span<const ServiceEntry> services() noexcept;
[[nodiscard]] const ServiceEntry* find_service(std::string_view name) noexcept;

std::shared_ptr<Service> make_echo();
std::shared_ptr<Service> make_discard();
std::shared_ptr<Service> make_chargen();
std::shared_ptr<Service> make_daytime();
std::shared_ptr<Service> make_time();
std::shared_ptr<Service> make_qotd();
std::shared_ptr<Service> make_slow();
Result<std::shared_ptr<Service>> make_fsp(const HandlerSettings&);
Result<std::shared_ptr<Service>> make_tftp(const HandlerSettings&);

}  // namespace superd
