#define OPENSSL_SUPPRESS_DEPRECATED
#include "superd/lab/digest.h"

#include <fmt/format.h>

#include <array>

namespace superd {

Digest::Digest() noexcept { SHA256_Init(&state_); }

void Digest::add(std::span<const std::byte> bytes) noexcept { SHA256_Update(&state_, bytes.data(), bytes.size()); }

std::string Digest::text() noexcept {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &state_);
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace superd
