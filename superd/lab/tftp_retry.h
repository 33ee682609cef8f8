#pragma once

#include "superd/lab/transfer.h"

namespace superd {

/// `once(has_begun)` until it succeeds, fails for good, or has failed as often as the user allows. What had not even begun
/// is tried once: nobody listens there, or it is asked at another address.
template <class Once>
Result<TransferReport> with_retries(Once once, const TransferManner& manner, Progress& progress) {
  bool has_begun = false;
  for (int tries = 1;; ++tries) {
    auto report = once(has_begun);
    const bool is_worth_it = !report && has_begun && may_pass(report.error()) && !was_interrupted();
    if (!is_worth_it || tries >= manner.tries) return report;
    progress.tell(report.error().what + "; tftp cannot go on where it was: asking again from the beginning");
    // A server that is being restarted needs a moment.
    if (!pause_for(Seconds(1))) return report;
  }
}

}  // namespace superd
