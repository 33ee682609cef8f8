#pragma once

#include <vector>

#include "superd/services/files/upload.h"
#include "superd/services/tftp/dialogue.h"
#include "superd/services/tftp/netascii.h"

namespace superd::tftp {

/// A file that comes from a client. What has come is gathered, and written in the background; the last block is acknowledged
/// when the file is there under its name.
class Writing {
 public:
  /// May throw std::bad_alloc, before anything is sent.
  Writing(Datagram& request, Transfers& transfers, const Grant& grant, bool is_text, Upload upload);

  task<> run();

  [[nodiscard]] std::uint64_t bytes() const noexcept { return written_; }

 private:
  enum class Step : std::uint8_t { wait, answer, flush, finish };

  void answer() noexcept;
  Step take(const Packet& packet) noexcept;
  void gather(std::span<const std::byte> bytes) noexcept;
  task<bool> flush(bool is_end);
  task<> dally();

  Datagram& request_;
  const Grant grant_;
  const bool is_text_;
  Upload upload_;
  Dialogue dialogue_;
  FromNetascii converter_;

  std::uint64_t next_ = 1;       // the block that is expected
  std::uint64_t in_window_ = 0;  // how many have come since the last acknowledgement
  bool told_gap_ = false;
  bool is_first_answer_ = true;
  std::uint64_t written_ = 0;
  std::size_t gathered_ = 0;
  std::vector<std::byte> room_, gather_;
};

}  // namespace superd::tftp
