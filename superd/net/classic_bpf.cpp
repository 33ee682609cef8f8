#include "superd/net/classic_bpf.h"

#include <sys/socket.h>

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

namespace superd {
namespace {

constexpr std::string_view right = "write what `tcpdump -ddd` prints: how many instructions, then four numbers of each";

/// The numbers of a text, one after the other.
class Numbers {
 public:
  explicit Numbers(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool is_over() noexcept {
    const auto next = rest_.find_first_not_of(" \t\r\n,");
    rest_.remove_prefix(std::min(next, rest_.size()));
    return rest_.empty();
  }

  template <class Number>
  std::optional<Number> take() noexcept {
    if (is_over()) return std::nullopt;
    Number number{};
    const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (failure != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }

 private:
  std::string_view rest_;
};

}  // namespace

Result<std::vector<sock_filter>> parse_bpf(std::string_view text) {
  Numbers numbers(text);
  const auto count = numbers.take<std::uint16_t>();
  if (!count || *count == 0 || *count > BPF_MAXINSNS)
    return error("begins with no number of instructions, 1 to " + std::to_string(BPF_MAXINSNS) + ": " +
                 std::string(right));
  std::vector<sock_filter> program;
  program.reserve(*count);
  while (program.size() < *count) {
    const auto code = numbers.take<std::uint16_t>();
    const auto if_true = numbers.take<std::uint8_t>(), if_false = numbers.take<std::uint8_t>();
    const auto k = numbers.take<std::uint32_t>();
    if (!code || !if_true || !if_false || !k)
      return error("instruction " + std::to_string(program.size() + 1) + " of " + std::to_string(*count) +
                   " is none: " + std::string(right));
    program.push_back({*code, *if_true, *if_false, *k});
  }
  if (!numbers.is_over())
    return error("goes on behind its " + std::to_string(*count) + " instructions: " + std::string(right));
  return program;
}

std::string bpf_text(const std::vector<sock_filter>& program) {
  if (program.empty()) return {};
  std::string text = std::to_string(program.size());
  for (const auto& [code, if_true, if_false, k] : program)
    text += ',' + std::to_string(code) + ' ' + std::to_string(if_true) + ' ' + std::to_string(if_false) + ' ' +
            std::to_string(k);
  return text;
}

Result<> attach_bpf(int socket, const std::vector<sock_filter>& program, const std::string& where) {
  if (program.empty()) {
    const int none = 0;
    if (::setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none) == 0 || errno == ENOENT) return {};
    return system_error("take the filter off " + where);
  }
  // The kernel copies it.
  const sock_fprog given{.len = static_cast<unsigned short>(program.size()),
                         .filter = const_cast<sock_filter*>(program.data())};
  if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &given, sizeof given) == 0) return {};
  auto failure = system_error("attach the filter of " + where);
  if (errno == EINVAL) failure.error().what += "; the kernel takes no program that may not end, or reads out of bounds";
  return failure;
}

Result<> attach_nothing(int socket, const std::string& where) {
  return attach_bpf(socket, {BPF_STMT(BPF_RET | BPF_K, 0)}, where);
}

}  // namespace superd
