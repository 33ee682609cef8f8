#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// The text of TFTP (RFC 1350 by RFC 764): CR LF ends a line, CR NUL is a CR. Both ways byte by byte, across the borders of
/// blocks. Pure.
namespace superd::tftp {

/// From a file to a client.
class ToNetascii {
 public:
  struct Done {
    std::size_t read, written;
  };
  /// As many as fit.
  Done convert(std::span<const std::byte> text, std::span<std::byte> into) noexcept {
    std::size_t read = 0, written = 0;
    while (written < into.size()) {
      if (owed_ != none) {
        into[written++] = static_cast<std::byte>(owed_);
        owed_ = none;
        continue;
      }
      if (read == text.size()) break;
      const auto byte = text[read++];
      if (byte == line_feed) owed_ = '\n';
      if (byte == carriage_return) owed_ = '\0';
      into[written++] = owed_ == none ? byte : carriage_return;
    }
    return {read, written};
  }
  /// A byte is still to come, though the text is over.
  [[nodiscard]] bool owes() const noexcept { return owed_ != none; }

 private:
  static constexpr std::byte line_feed{'\n'}, carriage_return{'\r'};
  static constexpr int none = -1;
  int owed_ = none;
};

/// From a client to a file. Never longer.
class FromNetascii {
 public:
  /// In place or apart; returns how many bytes were written.
  std::size_t convert(std::span<const std::byte> text, std::span<std::byte> into) noexcept {
    std::size_t written = 0;
    for (const auto byte : text) {
      if (after_return_) {
        after_return_ = false;
        if (byte == std::byte{'\n'} || byte == std::byte{0}) {
          into[written++] = byte == std::byte{0} ? std::byte{'\r'} : byte;
          continue;
        }
        into[written++] = std::byte{'\r'};  // against the rules: kept as it came
      }
      if (byte == std::byte{'\r'})
        after_return_ = true;
      else
        into[written++] = byte;
    }
    return written;
  }
  /// At the end: a CR that nothing came after.
  [[nodiscard]] bool owes_return() const noexcept { return after_return_; }

 private:
  bool after_return_ = false;
};

}  // namespace superd::tftp
