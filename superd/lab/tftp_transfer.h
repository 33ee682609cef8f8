#pragma once

#include "superd/lab/file_url.h"
#include "superd/lab/transfer.h"

namespace superd {

/// Fetches a file into `output`, or "-". One that breaks off because the server is gone is asked for again, from its
/// beginning, for TFTP knows no other way.
Result<TransferReport> tftp_get(const Endpoint& server, const FileUrl& url, const std::string& output,
                                const TransferManner& manner, Progress& progress);

/// Brings a local file to the server.
Result<TransferReport> tftp_put(const Endpoint& server, const std::string& input, const FileUrl& url,
                                const TransferManner& manner, Progress& progress);

}  // namespace superd
