#include "superd/super/bind.h"

#include "superd/super/rebind.h"

namespace superd {

std::expected<BoundListeners, std::vector<std::string>> bind_present(const ServiceTable& table) {
  return rebind({}, table, {});
}

std::expected<std::vector<BoundListener>, std::vector<std::string>> bind_all(const ServiceTable& table) {
  auto result = bind_present(table);
  if (!result) return std::unexpected(std::move(result.error()));
  std::vector<std::string> errors;
  for (const auto& absent : result->absent) errors.push_back("service " + absent.service + ": " + absent.why);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return std::move(result->bound);
}

}  // namespace superd
