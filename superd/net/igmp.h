#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <iterator>
#include <span>

#include "superd/base/big_endian.h"
#include "superd/net/packet_address.h"
#include "superd/net/packet_fault.h"

namespace superd {

/// IPv4 addresses that stand one behind the other in a packet.
class PacketAddresses {
 public:
  PacketAddresses() noexcept = default;
  explicit PacketAddresses(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / 4; }
  [[nodiscard]] Endpoint operator[](std::size_t index) const noexcept { return packet_address_v4(&bytes_[4 * index]); }

 private:
  std::span<const std::byte> bytes_;
};

/// What a report says of one group (RFC 3376, 4.2.12).
struct IgmpRecord {
  enum class Change : std::uint8_t {
    is_include = 1,  ///< these sources alone are wanted; none: the group is not
    is_exclude = 2,  ///< all sources but these are
    to_include = 3,  ///< from now on
    to_exclude = 4,  ///< from now on
    allow = 5,       ///< these too
    block = 6,       ///< these no more
  };
  Change change;
  Endpoint group;
  PacketAddresses sources;

  [[nodiscard]] bool is_join() const noexcept {
    return change == Change::to_exclude || change == Change::is_exclude || change == Change::allow ||
           (change != Change::block && sources.size() > 0);
  }
  /// Nothing of the group is wanted any more.
  [[nodiscard]] bool is_leave() const noexcept { return change == Change::to_include && sources.size() == 0; }
};

/// An IGMP message of version 1, 2 or 3 (RFC 1112, 2236, 3376) in bytes that somebody else owns. parse() looks at
/// all of it, so that no list within goes beyond the end.
class IgmpView {
 public:
  enum class Kind : std::uint8_t { query = 0x11, report_v1 = 0x12, report_v2 = 0x16, leave = 0x17, report_v3 = 0x22 };

  [[nodiscard]] static std::expected<IgmpView, PacketFault> parse(std::span<const std::byte> message) noexcept;

  [[nodiscard]] Kind kind() const noexcept { return Kind{std::to_integer<std::uint8_t>(bytes_[0])}; }
  [[nodiscard]] bool is_query() const noexcept { return kind() == Kind::query; }
  /// Of a query by its length and its time (RFC 3376, 7.1); of others by their kind.
  [[nodiscard]] int version() const noexcept;

  // Of a query.
  [[nodiscard]] std::chrono::milliseconds longest_wait() const noexcept;  ///< within which members shall answer
  [[nodiscard]] Endpoint group() const noexcept {
    return packet_address_v4(&bytes_[4]);
  }  ///< 0.0.0.0: all; not of v3 reports
  [[nodiscard]] PacketAddresses sources() const noexcept;        ///< of version 3, which it asks for
  [[nodiscard]] std::uint8_t robustness() const noexcept;        ///< of version 3; 0: does not say
  [[nodiscard]] std::chrono::seconds interval() const noexcept;  ///< between queries, of version 3
  [[nodiscard]] bool suppresses() const noexcept;  ///< other routers shall not start their timers, of version 3

  /// What a report or a leave says, in all versions by the words of version 3: a report of version 1 or 2 excludes
  /// nothing, and a leave includes nothing. None for a query.
  class Records {
   public:
    class iterator {
     public:
      using value_type = IgmpRecord;
      using difference_type = std::ptrdiff_t;
      iterator() noexcept = default;
      iterator(std::span<const std::byte> rest, std::size_t left) noexcept : rest_(rest), left_(left) {}
      [[nodiscard]] IgmpRecord operator*() const noexcept;
      iterator& operator++() noexcept;
      void operator++(int) noexcept { ++*this; }
      friend bool operator==(const iterator& one, std::default_sentinel_t) noexcept { return one.left_ == 0; }

     private:
      std::span<const std::byte> rest_;
      std::size_t left_ = 0;
    };
    [[nodiscard]] iterator begin() const noexcept { return {bytes_, count_}; }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

   private:
    friend class IgmpView;
    Records(std::span<const std::byte> bytes, std::size_t count) noexcept : bytes_(bytes), count_(count) {}
    std::span<const std::byte> bytes_;
    std::size_t count_;
  };
  [[nodiscard]] Records records() const noexcept;

 private:
  explicit IgmpView(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] bool is_query_v3() const noexcept { return is_query() && bytes_.size() >= 12; }
  std::span<const std::byte> bytes_;
};

}  // namespace superd
