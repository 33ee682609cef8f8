#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace superd {

/// A keyed hash that who does not know the key cannot foresee: SipHash-2-4 (Aumasson and Bernstein, 2012). Some 20 ns for
/// an address.
class SipHash {
 public:
  using Secret = std::array<std::uint64_t, 2>;
  explicit constexpr SipHash(const Secret& secret) noexcept : secret_(secret) {}

  [[nodiscard]] std::uint64_t operator()(std::span<const std::byte> bytes) const noexcept {
    State state(secret_);
    const auto whole = bytes.size() / 8 * 8;
    for (std::size_t at = 0; at < whole; at += 8) state.take(little_endian(bytes.subspan(at, 8)));
    // The last word has what is left, and the length in its highest byte.
    state.take(little_endian(bytes.subspan(whole)) | static_cast<std::uint64_t>(bytes.size()) << 56);
    return state.end();
  }

 private:
  static std::uint64_t little_endian(std::span<const std::byte> bytes) noexcept {
    std::uint64_t word = 0;
    if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    return std::endian::native == std::endian::big ? std::byteswap(word) : word;
  }

  class State {
   public:
    explicit State(const Secret& secret) noexcept
        : v_{secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d, secret[0] ^ 0x6c7967656e657261,
             secret[1] ^ 0x7465646279746573} {}
    void take(std::uint64_t word) noexcept {
      v_[3] ^= word;
      rounds(2);
      v_[0] ^= word;
    }
    std::uint64_t end() noexcept {
      v_[2] ^= 0xff;
      rounds(4);
      return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
    }

   private:
    void rounds(int count) noexcept {
      while (count-- > 0) {
        half(0, 1, 13, 32);
        half(2, 3, 16, 0);
        half(2, 1, 17, 32);
        half(0, 3, 21, 0);
      }
    }
    void half(std::size_t a, std::size_t b, int turn, int swap) noexcept {
      v_[a] += v_[b];
      v_[b] = std::rotl(v_[b], turn) ^ v_[a];
      v_[a] = std::rotl(v_[a], swap);
    }
    std::array<std::uint64_t, 4> v_;
  };

  Secret secret_;
};

}  // namespace superd
