#pragma once

#include <string>

#include "superd/lab/file_url.h"
#include "superd/lab/remote.h"
#include "superd/lab/round_trip.h"
#include "superd/lab/tftp_packets.h"
#include "superd/lab/transfer.h"

namespace superd {

/// What was agreed upon with a TFTP server.
struct TftpTerms {
  std::size_t block = 512;  ///< RFC 1350's, where options are not known
  std::uint64_t window = 1;
  std::optional<std::uint64_t> size;  ///< of the file; where told
};

/// The client's side of a TFTP transfer: its socket, what was agreed upon, and when to say the last thing again. One
/// thread, one transfer.
class TftpConversation {
 public:
  TftpConversation(Remote remote, const TransferManner& manner)
      : remote_(std::move(remote)), manner_(manner), heard_(Clock::now()) {}

  /// Asks, and takes what the server first says; a server that refuses options is asked without. The answer is DATA or
  /// OACK to a read request, ACK or OACK to a write request; what it says of options is in terms().
  Result<TftpAnswer> open(bool is_write, const std::string& name, std::optional<std::uint64_t> size);
  [[nodiscard]] const TftpTerms& terms() const noexcept { return terms_; }

  /// Sends, and keeps it to be sent again.
  void say(std::vector<std::vector<std::byte>> datagrams);
  /// What to say from now on when it has to be said again.
  void say_instead(std::vector<std::byte> datagram);
  /// Once more what was said last, because it was not heard.
  void repeat();
  /// The same, but for what was said a moment ago: both ends would double each other's datagrams (RFC 1123, 4.2.3.1).
  void repeat_unless_fresh();
  /// The next thing that the server says, repeating what was said last as long as there is none. Refers to the
  /// conversation's memory, until the next call.
  Result<TftpAnswer> listen();
  /// As listen(), but until then, repeating nothing.
  Result<std::optional<TftpAnswer>> listen_until(Time until);
  /// Something new has come: what was said last has been answered.
  void note_progress() noexcept;
  /// Tells the server that this ends here; not waited for.
  void break_off(std::uint16_t code, std::string_view text);

  [[nodiscard]] Clock::duration timeout() const noexcept { return round_trip_.timeout(tries_); }
  [[nodiscard]] std::uint64_t datagrams() const noexcept { return datagrams_; }
  [[nodiscard]] std::uint64_t resent() const noexcept { return resent_; }

 private:
  void send_said(Clock::duration timeout);
  Result<> agree(const TftpAnswer& answer, const TftpOptions& wanted);

  Remote remote_;
  const TransferManner& manner_;
  TftpTerms terms_;
  RoundTrip round_trip_;
  std::vector<std::vector<std::byte>> said_;
  Time said_at_{}, due_{}, heard_;
  int tries_ = 0;
  bool is_answered_ = false;  // what was said last
  bool is_settled_ = false;   // with a port of the server's
  std::uint64_t datagrams_ = 0, resent_ = 0;
};

}  // namespace superd
