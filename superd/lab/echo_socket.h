#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/lab/error_queue.h"
#include "superd/lab/probe_address.h"
#include "superd/net/icmp.h"
#include "superd/net/socket.h"

namespace superd {

struct EchoOptions {
  std::size_t size = 56;      ///< bytes behind the ICMP header
  int ttl = 0;                ///< of requests; 0: the system's
  bool is_precise = false;    ///< tells when the kernel received each answer, and its TTL; costs a little
  bool is_ping_only = false;  ///< never a raw socket
};

/// What came back.
struct EchoArrival {
  enum class Kind : std::uint8_t {
    reply,
    failure,  ///< an ICMP error, or one of this host's, about a probe
    damaged,  ///< with a wrong checksum, or whatever else is no packet
  };
  Kind kind = Kind::damaged;
  AddressBits from;                 ///< who answered, or who tells of the failure
  AddressBits target;               ///< of a failure: where the probe was to go
  std::uint16_t sequence = 0;       ///< of the probe
  std::span<const std::byte> body;  ///< of a reply; until the next call
  int ttl = -1;                     ///< of a reply, where it is known
  std::uint8_t type = 0, code = 0;  ///< of a failure
  int local_error = 0;              ///< of a failure that this host found without a packet: an errno
  std::uint32_t mtu = 0;            ///< of a failure for size: what fits
  Time received{};
};

/// Sends ICMP echo requests of one family in batches, and receives what is about them. A ping socket (icmp(7)) where
/// the kernel allows one, which needs no capability; otherwise a raw one. One thread.
class EchoSocket {
 public:
  static constexpr std::size_t most_in_batch = 64;

  [[nodiscard]] static Result<EchoSocket> open(IcmpVersion version, const EchoOptions& options);

  [[nodiscard]] bool is_raw() const noexcept { return is_raw_; }
  [[nodiscard]] IcmpVersion version() const noexcept { return version_; }
  [[nodiscard]] int fd() const noexcept { return socket_.fd(); }
  /// So many answers find room in the kernel, if nobody takes them out.
  [[nodiscard]] std::size_t answers_that_fit() const noexcept { return answers_that_fit_; }
  [[nodiscard]] std::size_t batch() const noexcept { return slots_.size(); }

  /// The body of the next request of the batch, to be filled in; seal() completes it.
  [[nodiscard]] std::span<std::byte> next_body(const ProbeAddress& to) noexcept;
  /// `ttl`: of this one alone; 0: as all.
  void seal(std::uint16_t sequence, int ttl = 0) noexcept;
  [[nodiscard]] std::size_t queued() const noexcept { return queued_; }
  /// Sends the batch. `refused(which, errno)` is called for each that the kernel does not take; which: its place in the
  /// batch. Waits while the kernel has no room.
  template <class Refused>
  void flush(Refused refused) noexcept {
    std::size_t done = 0;
    while (done < queued_) {
      if (const int code = send_from(done)) refused(done++, code);
    }
    queued_ = 0;
  }

  /// Takes out what has arrived, at most a batch, and calls `take` with each. How many these were.
  template <class Take>
  std::size_t receive(Take take) {
    const auto got = fill_slots();
    const auto clocks = TwoClocks::read();
    for (std::size_t slot = 0; slot < got; ++slot) {
      const auto arrival = read_slot(slot, clocks);
      if (arrival.received != Time{}) take(arrival);
    }
    if (!has_failures_) return got;
    has_failures_ = false;
    std::size_t failures = 0;
    for (EchoArrival arrival; failures < most_in_batch && next_failure(arrival); ++failures)
      if (arrival.kind == EchoArrival::Kind::failure) take(arrival);
    // There may be more.
    if (failures == most_in_batch) has_failures_ = true;
    return got + failures;
  }
  /// After poll(2) has told of an error: receive() looks for failures too.
  void expect_failures() noexcept { has_failures_ = !is_raw_; }

 private:
  /// Room for a request and for an answer, each as the kernel wants it.
  struct Slot {
    ProbeAddress to, from;
    iovec out, in;
    alignas(cmsghdr) std::byte out_control[CMSG_SPACE(sizeof(int))];
    alignas(cmsghdr) std::byte in_control[CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(int))];
  };

  EchoSocket(Socket socket, IcmpVersion version, bool is_raw, const EchoOptions& options);
  [[nodiscard]] static Result<Socket> open_any(IcmpVersion version, bool is_ping_only, bool& is_raw);
  Result<> prepare(const EchoOptions& options);
  void lay_out(const EchoOptions& options);

  int send_from(std::size_t& done) noexcept;
  std::size_t fill_slots() noexcept;
  [[nodiscard]] EchoArrival read_slot(std::size_t slot, const TwoClocks& clocks) noexcept;
  bool next_failure(EchoArrival& arrival) noexcept;
  void read_error_of(const IcmpView& message, EchoArrival& arrival) const noexcept;

  Socket socket_;
  IcmpVersion version_;
  bool is_raw_, is_precise_;
  bool has_failures_ = false;
  std::uint16_t id_ = 0;
  std::size_t request_size_, answers_that_fit_ = 0, queued_ = 0;
  std::vector<Slot> slots_;
  std::vector<mmsghdr> out_, in_;
  std::vector<std::byte> requests_, answers_;
};

}  // namespace superd
