#include "superd/serve/background_call.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

namespace superd {

namespace {

// Not in the page cache, or this file or kernel cannot tell; what else fails does so for good.
constexpr bool is_worth_a_detour(int code) noexcept {
  return code == EAGAIN || code == EOPNOTSUPP || code == EINVAL || code == ENOSYS;
}

}  // namespace

void FunctionWork::call(Job& job) noexcept {
  auto& work = static_cast<FunctionWork&>(job);
  try {
    work.call_(work.function_);
  } catch (...) {
    ::new (work.thrown_) std::exception_ptr(std::current_exception());
    work.has_thrown_ = true;
  }
}

void FunctionWork::rethrow() {
  if (!std::exchange(has_thrown_, false)) return;
  auto* const kept = std::launder(reinterpret_cast<std::exception_ptr*>(thrown_));
  auto thrown = std::move(*kept);
  std::destroy_at(kept);
  std::rethrow_exception(std::move(thrown));
}

ReadWork::ReadWork(int file, std::uint64_t offset, std::span<std::byte> into) noexcept
    : file_(file), offset_(offset), into_(into) {
  run = &ReadWork::read;
  // As the kernel has it, but for -1, which it takes for the place where somebody else may be reading.
  if (std::in_range<off_t>(offset)) return;
  error_ = EINVAL;
  into_ = {};
}

bool ReadWork::try_at_once() noexcept {
  while (!into_.empty()) {
    const iovec part{into_.data(), into_.size()};
    const auto got = preadv2(file_, &part, 1, static_cast<off_t>(offset_), RWF_NOWAIT);
    if (got < 0 && is_worth_a_detour(errno)) return false;
    if (!note(got)) break;
  }
  return true;
}

void ReadWork::read(Job& job) noexcept {
  auto& work = static_cast<ReadWork&>(job);
  while (!work.into_.empty())
    if (!work.note(pread(work.file_, work.into_.data(), work.into_.size(), static_cast<off_t>(work.offset_)))) break;
}

// False: it ends here.
bool ReadWork::note(std::ptrdiff_t got) noexcept {
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) error_ = errno;
  if (got <= 0) return false;
  const auto size = static_cast<std::size_t>(got);
  into_ = into_.subspan(size);
  offset_ += size;
  size_ += size;
  return true;
}

std::expected<std::size_t, int> ReadWork::result() const noexcept {
  if (error_ != 0) return std::unexpected(error_);
  return size_;
}

}  // namespace superd
