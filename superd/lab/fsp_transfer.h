#pragma once

#include "superd/lab/download.h"
#include "superd/lab/file_url.h"
#include "superd/lab/fsp_session.h"
#include "superd/lab/transfer.h"
#include "superd/services/fsp/directory.h"

namespace superd {

/// Fetches a file, or goes on with one: `output` is a file's name, or "-".
Result<TransferReport> fsp_get(FspSession& session, const FileUrl& url, const std::string& output,
                               const TransferManner& manner, Progress& progress);

/// Brings a local file to the server, which gives it its name when it is whole.
Result<TransferReport> fsp_put(FspSession& session, const std::string& input, const FileUrl& url,
                               const TransferManner& manner, Progress& progress);

/// The size of the blocks that both sides want. A server that does not tell gets what every one has to take.
std::uint16_t fsp_payload(FspSession& session, const TransferManner& manner);

/// What lies in a directory.
Result<std::vector<FspEntry>> fsp_list(FspSession& session, const FileUrl& url, const TransferManner& manner);

}  // namespace superd
