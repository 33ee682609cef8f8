#pragma once

#include <array>
#include <string>
#include <vector>

#include "superd/lab/remote.h"
#include "superd/lab/round_trip.h"
#include "superd/services/fsp/packet.h"

namespace superd {

struct FspRequest {
  FspCommand command{};
  std::uint32_t position = 0;
  std::vector<std::byte> data, extra;
};

struct FspAnswer {
  std::size_t request = 0;  ///< what begin() returned
  std::uint32_t position = 0;
  std::vector<std::byte> data, extra;
};

/// The client's side of FSP: sends requests until they are answered. One thread.
///
/// The protocol's document wants a second's pause before a request is sent again, and one request at a time, because a
/// server makes a new key with each answer and takes a repetition only after three seconds. One that keeps its key takes
/// repetitions at any time and requests side by side: it is asked as its round trips suggest, with several under way.
class FspSession {
 public:
  struct Manner {
    std::string password;
    /// How long to go on asking without any answer. A server that is being restarted is back sooner.
    Millis patience{60'000};
    /// Requests under way at once, where the server allows it: less than what TCP begins with (RFC 6928).
    std::size_t window = 8;
  };
  FspSession(Remote remote, Manner manner);

  /// One request, and its answer. An error the server answered with has the code 0.
  Result<FspAnswer> ask(FspRequest request);

  /// Several under way: begin() where has_room(), then next() for whichever is answered first.
  [[nodiscard]] bool has_room() const noexcept { return flights_.size() < window(); }
  [[nodiscard]] bool is_idle() const noexcept { return flights_.empty(); }
  std::size_t begin(FspRequest request);
  Result<FspAnswer> next();

  /// A request with the name as its data, and the password.
  [[nodiscard]] FspRequest about(FspCommand command, std::string_view name, std::uint32_t position = 0) const;

  /// Tells the server that this client is done: sent, and not waited for, because nothing depends on it.
  void leave() noexcept;

  struct Counts {
    std::uint64_t requests = 0, resent = 0, strange = 0;  ///< strange: damaged, or answers nothing that was asked
  };
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  [[nodiscard]] const Endpoint& server() const noexcept { return remote_.server(); }

 private:
  /// A request under way.
  struct Flight {
    std::size_t number;
    FspRequest request;
    std::uint16_t identity;      // the sequence without the number of the try
    int tries = 0;               // in vain
    std::uint64_t order = 0;     // of its last try, among all that was sent
    std::array<Time, 8> sent{};  // each try by its number, modulo 8
    Time due{};
  };

  [[nodiscard]] std::size_t window() const noexcept { return keeps_key_ ? manner_.window : 1; }
  [[nodiscard]] Clock::duration timeout(int tries) const noexcept;
  void send(Flight& flight);
  void send_again(Flight& flight);
  Time send_what_is_due();
  void send_what_was_overtaken(std::uint64_t order);
  std::optional<FspAnswer> take(std::span<const std::byte> bytes);
  void note_key(std::uint16_t key) noexcept;
  std::unexpected<Error> give_up(std::string why, int code);

  Remote remote_;
  Manner manner_;
  RoundTrip round_trip_;
  Counts counts_;
  std::vector<Flight> flights_;
  std::size_t number_ = 0;
  std::uint64_t order_ = 0;
  std::uint16_t identity_;
  std::uint16_t key_;
  std::uint64_t answers_ = 0;
  int key_changes_ = 0, same_keys_ = 0;  // one after the other
  bool keeps_key_ = false;               // the server does, but for a change now and then
  bool is_refused_ = false;
  Time heard_;
  std::optional<Error> said_;  // what the server answered with instead
};

}  // namespace superd
