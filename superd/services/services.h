#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "superd/serve/service.h"

namespace superd {

/// A row of the table of built-in services.
struct ServiceEntry {
  std::string_view name;
  std::string_view what;
  bool streams, datagrams;  ///< over which transports it can be served
  std::shared_ptr<Service> (*make)();
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

}  // namespace superd
