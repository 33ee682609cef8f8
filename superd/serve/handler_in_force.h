#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "superd/serve/service.h"

namespace superd {

/// The handler of a service that is being served, which may be another one for the conversations that begin from now on.
/// Any thread reads; one at a time changes. Each is kept, for conversations go on in it, and comes back when its name
/// does: so there are as many as there are names.
class HandlerInForce {
 public:
  /// `handler` has no name.
  explicit HandlerInForce(std::shared_ptr<Service> handler) { change("", std::move(handler)); }

  /// False: none of this name was ever in force here.
  bool change_back(const std::string& name) {
    const auto known = all_.find(name);
    if (known == all_.end()) return false;
    name_ = name;
    now_.store(known->second.get(), std::memory_order_release);
    return true;
  }
  void change(const std::string& name, std::shared_ptr<Service> handler) {
    all_.insert_or_assign(name, std::move(handler));
    (void)change_back(name);
  }

  /// Of who changes it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// False where a program serves.
  explicit operator bool() const noexcept { return now_.load(std::memory_order_acquire) != nullptr; }
  Service* operator->() const noexcept { return now_.load(std::memory_order_acquire); }

 private:
  std::map<std::string, std::shared_ptr<Service>> all_;
  std::string name_;
  std::atomic<Service*> now_{nullptr};
};

}  // namespace superd
