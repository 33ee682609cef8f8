#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

#include "superd/net/internet_checksum.h"

namespace superd {

using Bytes = std::vector<std::byte>;

inline Bytes bytes(std::initializer_list<int> numbers) {
  Bytes made;
  for (const int number : numbers) made.push_back(static_cast<std::byte>(number));
  return made;
}

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// With its checksum filled in, in the second word: where ICMP and IGMP have it.
inline Bytes summed(Bytes message) {
  message[2] = message[3] = {};
  const auto sum = internet_checksum(message);
  message[2] = static_cast<std::byte>(sum >> 8);
  message[3] = static_cast<std::byte>(sum & 0xff);
  return message;
}

}  // namespace superd
