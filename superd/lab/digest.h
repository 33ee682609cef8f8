#pragma once

#include <openssl/sha.h>

#include <cstddef>
#include <span>
#include <string>

namespace superd {

/// SHA-256 of what is added (FIPS 180-4). From libcrypto, which has it in the processor's own instructions; by its old
/// functions, because the new ones would bring 4 MB of tables of algorithms into a program that needs one.
class Digest {
 public:
  Digest() noexcept;
  void add(std::span<const std::byte> bytes) noexcept;
  /// 64 digits; nothing may be added after it.
  [[nodiscard]] std::string text() noexcept;

 private:
  SHA256_CTX state_;
};

}  // namespace superd
