#pragma once

#include <string>
#include <vector>

#include "superd/services/files/file_table.h"
#include "superd/services/tftp/dialogue.h"
#include "superd/services/tftp/file_piece.h"
#include "superd/services/tftp/netascii.h"
#include "superd/services/tftp/window.h"

namespace superd::tftp {

/// A file on its way to a client. It is read in pieces, and again where blocks have to be sent again: the page cache keeps
/// it, and a transfer has no more memory than for a piece.
class Reading {
 public:
  struct What {
    ServedFiles& files;
    const std::string& name;
    FileUse file;
    bool is_text;
    bool asks_each_time;  ///< the table for the file, as slide 8 has it
  };
  /// May throw std::bad_alloc, before anything is sent.
  Reading(Datagram& request, Transfers& transfers, const Grant& grant, What what);

  task<> run();

  [[nodiscard]] std::uint64_t bytes() const noexcept { return acknowledged_; }

 private:
  [[nodiscard]] bool begin();
  void open_dialogue() noexcept;
  [[nodiscard]] bool has_next() const noexcept;
  [[nodiscard]] std::size_t room_for_blocks() const noexcept;
  [[nodiscard]] std::size_t piece_size() const noexcept;
  [[nodiscard]] std::uint64_t offset_of_next() const noexcept;
  void keep_text() noexcept;
  [[nodiscard]] std::span<std::byte> next_blocks() noexcept;
  bool send_blocks() noexcept;
  bool take(const Packet& packet) noexcept;

  Datagram& request_;
  What what_;
  const Grant grant_;
  Dialogue dialogue_;
  Window window_;
  bool is_opening_;  // the OACK is not acknowledged yet
  bool was_silent_ = false;
  std::uint64_t highest_sent_ = 0, acknowledged_ = 0;

  std::size_t most_blocks_;
  FilePiece piece_;
  std::vector<Head> heads_;
  std::vector<Exchange::Parts> parts_;
  std::array<std::byte, 64> heard_;

  // Of text: the block that was converted last, and where the file goes on after it.
  ToNetascii converter_;
  std::vector<std::byte> text_;  // room for a head first
  std::uint64_t text_block_ = 0, text_offset_ = 0;
  std::size_t text_size_ = 0;
};

}  // namespace superd::tftp
