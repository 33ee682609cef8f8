#include "superd/engines/ring.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace superd {

namespace {

// As many requests as a busy loop queues in one turn; more are handed over earlier. Answers may come faster than they
// are taken: those that find no room here wait in the kernel.
constexpr unsigned most_requests = 1024, most_answers = 4096;

// One thread alone enters the ring, and answers are made when it does, not by interrupting it. The thread is not known
// yet, hence disabled. One bad request does not hold up those behind it.
constexpr unsigned manner = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                            IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;

constexpr int what_bits = 3;

std::unexpected<Error> refusal(int code) {
  constexpr auto elsewhere = R"(: use engine "epoll", "poll" or "select")";
  std::string why = "io_uring: " + errno_text(code);
  if (code == EPERM || code == EACCES)
    why += "; the kernel (sysctl kernel.io_uring_disabled) or a seccomp filter forbids it here";
  else if (code == ENOSYS || code == EINVAL)
    why += "; it takes Linux 6.1 or later, and no filter that hides it";
  return std::unexpected(Error{why + elsewhere, code});
}

// Some filters let a ring be made and forbid entering it, which would be found out too late.
int try_out() {
  io_uring ring;
  if (const int code = io_uring_queue_init(1, &ring, manner & ~(IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE));
      code < 0)
    return -code;
  io_uring_prep_nop(io_uring_get_sqe(&ring));
  const int submitted = io_uring_submit_and_wait(&ring, 1);
  io_uring_queue_exit(&ring);
  return std::max(0, -submitted);
}

}  // namespace

std::uint64_t RingTag::packed() const noexcept {
  return std::uint64_t{static_cast<std::uint32_t>(fd)} << 32 | std::uint64_t{number} << what_bits |
         static_cast<std::uint64_t>(what);
}

RingTag RingTag::unpacked(std::uint64_t data) noexcept {
  return {static_cast<What>(data % (1U << what_bits)), static_cast<std::uint32_t>(data) >> what_bits,
          static_cast<int>(data >> 32)};
}

Result<std::unique_ptr<Ring>> Ring::make() {
  if (const int code = try_out()) return refusal(code);
  std::unique_ptr<Ring> made(new Ring);
  io_uring_params params{};
  params.flags = manner;
  params.cq_entries = most_answers;
  if (const int code = io_uring_queue_init_params(most_requests, &made->ring_, &params); code < 0) {
    made->ring_.ring_fd = -1;
    return refusal(-code);
  }
  return made;
}

Ring::~Ring() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

void Ring::enable() noexcept {
  if (enabled_) return;
  enabled_ = true;
  // liburing 2.3 declares io_uring_enable_rings(3) and forgot to export it.
  if (syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) < 0)
    broken("a ring that was made could not be enabled");
  // Spares a look-up of the descriptor each time; it also works without.
  (void)io_uring_register_ring_fd(&ring_);
}

io_uring_sqe& Ring::request() noexcept {
  io_uring_sqe* free = io_uring_get_sqe(&ring_);
  if (!free) {
    submit();
    free = io_uring_get_sqe(&ring_);
  }
  return *free;
}

void Ring::receive(RingTag tag, bool likely_nothing_yet) noexcept {
  auto& sqe = request();
  io_uring_prep_recv_multishot(&sqe, tag.fd, nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = 0;
  if (likely_nothing_yet) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
  sqe.user_data = tag.packed();
}

void Ring::poll(RingTag tag, short events) noexcept {
  auto& sqe = request();
  io_uring_prep_poll_add(&sqe, tag.fd, static_cast<unsigned>(events));
  sqe.user_data = tag.packed();
}

void Ring::poll_again_and_again(RingTag tag, short events) noexcept {
  auto& sqe = request();
  io_uring_prep_poll_multishot(&sqe, tag.fd, static_cast<unsigned>(events));
  sqe.user_data = tag.packed();
}

void Ring::send(RingTag tag, std::span<const std::byte> bytes) noexcept {
  auto& sqe = request();
  io_uring_prep_send(&sqe, tag.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  sqe.user_data = tag.packed();
}

void Ring::cancel(RingTag tag) noexcept {
  auto& sqe = request();
  io_uring_prep_cancel64(&sqe, tag.packed(), 0);
  sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
  sqe.user_data = RingTag{}.packed();
}

void Ring::submit() noexcept {
  enable();
  // Whoever asks may free what the requests point to: all of them must be out. Failing means that the kernel is short
  // of memory.
  while (io_uring_sq_ready(&ring_) > 0)
    if (io_uring_submit(&ring_) < 0) std::this_thread::sleep_for(Millis{1});
  ++batch_;
}

void Ring::submit_and_work() noexcept {
  submit();
  (void)io_uring_get_events(&ring_);
}

int Ring::submit_and_wait(Time until) noexcept {
  enable();
  const int result = enter_and_wait(until);
  if (io_uring_sq_ready(&ring_) == 0) ++batch_;
  if (result != -ETIME) return result < 0 ? -result : 0;
  // After a stop (SIGSTOP) the time is over before the kernel has looked at what has arrived meanwhile.
  return std::max(0, -io_uring_submit_and_get_events(&ring_));
}

int Ring::enter_and_wait(Time until) noexcept {
  if (until == never) return io_uring_submit_and_wait(&ring_, 1);
  const auto left = until - Clock::now();
  if (left <= Clock::duration::zero()) return io_uring_submit_and_get_events(&ring_);
  const auto seconds = std::chrono::floor<Seconds>(left);
  __kernel_timespec limit{seconds.count(), (left - seconds).count()};
  io_uring_cqe* first;
  return io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
}

Ring::Answer Ring::take_answer() noexcept {
  io_uring_cqe* oldest;
  (void)io_uring_peek_cqe(&ring_, &oldest);
  const Answer answer{RingTag::unpacked(oldest->user_data), oldest->res, oldest->flags};
  io_uring_cq_advance(&ring_, 1);
  return answer;
}

int Ring::register_buffers(io_uring_buf_reg& registration) noexcept {
  return io_uring_register_buf_ring(&ring_, &registration, 0);
}

}  // namespace superd
