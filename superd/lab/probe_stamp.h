#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "superd/base/big_endian.h"
#include "superd/base/siphash.h"

namespace superd {

/// What a probe carries, so that nothing has to be remembered of it: when it left, which one it is, and a keyed hash of
/// both, by which no stranger's packet is taken for an answer.
struct ProbeStamp {
  static constexpr std::size_t size = 24;

  std::uint64_t sent;    ///< nanoseconds of the monotonic clock
  std::uint64_t number;  ///< of the probe

  /// To the first `size` bytes.
  void write(const SipHash& hash, std::span<std::byte> body) const noexcept {
    store_big_endian(sent, body.data());
    store_big_endian(number, &body[8]);
    store_big_endian(hash(body.first(16)), &body[16]);
  }
  /// Nothing where the bytes are too few, or the hash is another.
  static std::optional<ProbeStamp> read(const SipHash& hash, std::span<const std::byte> body) noexcept {
    if (body.size() < size || load_big_endian<std::uint64_t>(&body[16]) != hash(body.first(16))) return std::nullopt;
    return ProbeStamp{load_big_endian<std::uint64_t>(body.data()), load_big_endian<std::uint64_t>(&body[8])};
  }
};

}  // namespace superd
