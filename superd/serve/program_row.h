#pragma once

#include <sys/types.h>

#include <utility>

#include "superd/serve/hosted_service.h"

namespace superd {

/// The row of a program that runs, on the scoreboard of its service: from construction to destruction, by the process
/// that started it. Where no row is free, it tells nothing. The service must last as long; one thread at a time.
class ProgramRow {
 public:
  ProgramRow() noexcept = default;
  /// `client`: nobody's where it takes clients in by itself.
  ProgramRow(HostedService& hosted, pid_t program, const ClientKey& client, Time since) noexcept
      : rows_(&hosted.board.workers()), row_(rows_->claim()) {
    if (row_)
      row_->begin(program, client, since);
    else
      hosted.counters.rows_full.add();
  }
  ProgramRow(ProgramRow&& other) noexcept { swap(other); }
  ProgramRow& operator=(ProgramRow&& other) noexcept {
    swap(other);
    return *this;
  }
  ~ProgramRow() {
    if (row_) rows_->release(*row_);
  }

 private:
  void swap(ProgramRow& other) noexcept {
    std::swap(rows_, other.rows_);
    std::swap(row_, other.row_);
  }

  WorkerRows* rows_ = nullptr;
  WorkerRows::Row* row_ = nullptr;
};

}  // namespace superd
