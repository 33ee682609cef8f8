#pragma once

#include <string>

#include "superd/lab/transfer.h"

namespace superd {

/// The commands of superctl that move files: each does its work, says on the standard error how it went, and returns the
/// program's exit code: 0 done; 1 failed; 100 misuse; 111 may succeed later.
[[nodiscard]] int get_file(const std::string& url, std::string output, const TransferManner& manner);
[[nodiscard]] int put_file(const std::string& input, const std::string& url, const TransferManner& manner);
[[nodiscard]] int list_files(const std::string& url, const TransferManner& manner);

}  // namespace superd
