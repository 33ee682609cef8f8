#include "superd/super/absent_listeners.h"

#include <algorithm>
#include <utility>

#include "superd/base/log.h"

namespace superd {

namespace {

void tell(const AbsentListener& listener) {
  log_event(Severity::warning, "address is absent",
            {
                {"service", listener.service     },
                {"on",      listener.address.text},
                {"why",     listener.why         }
  });
}

bool is_the_same(const AbsentListener& a, const AbsentListener& b) {
  return a.service == b.service && a.address == b.address && a.why == b.why;
}

}  // namespace

void AbsentListeners::set(std::vector<AbsentListener> missing, Time now) {
  for (const auto& listener : missing)
    if (std::ranges::none_of(missing_, [&](const auto& known) { return is_the_same(known, listener); })) tell(listener);
  missing_ = std::move(missing);
  pause_ = first_pause;
  due_ = now + pause_;
}

std::vector<BoundListener> AbsentListeners::try_again(Time now) {
  std::vector<BoundListener> bound;
  std::erase_if(missing_, [&](AbsentListener& listener) {
    auto socket = passive(listener.address, listener.options);
    if (socket) {
      bound.push_back({listener.service, listener.address, std::move(*socket)});
      return true;
    }
    if (std::exchange(listener.why, socket.error().what) != listener.why) tell(listener);
    return false;
  });
  pause_ = bound.empty() ? std::min(pause_ * 2, longest_pause) : first_pause;
  due_ = now + pause_;
  return bound;
}

}  // namespace superd
