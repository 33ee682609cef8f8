/// TCP echo on io_uring: multishot accept, multishot receive into provided buffers, one send per chunk, and one
/// io_uring_enter for everything that became ready together. The chunks of a client are sent one after the other.

#include <liburing.h>
#include <sys/mman.h>

#include <vector>

#include "floor.h"

namespace {

constexpr unsigned entries = 4096;
constexpr unsigned short buffers = 1024;
constexpr unsigned buffer_size = 4096;
constexpr int none = -1;

enum class Did : std::uint32_t { accept, receive, send };

struct Chunk {
  int size = 0;
  int sent = 0;
  int next = none;
};

struct Client {
  int first = none;
  int last = none;
  bool receiving = false;
};

io_uring ring;
io_uring_buf_ring* shelf;
char* memory;
Chunk chunks[buffers];
std::vector<Client> clients;
std::vector<int> starved;

Client& client(int fd) { return clients[static_cast<std::size_t>(fd)]; }

char* bytes(int chunk) { return memory + static_cast<std::size_t>(chunk) * buffer_size; }

io_uring_sqe* entry() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  if (sqe != nullptr) return sqe;
  io_uring_submit(&ring);
  sqe = io_uring_get_sqe(&ring);
  if (sqe == nullptr) floors::fail("io_uring_get_sqe");
  return sqe;
}

/// To be called after the prep function, which clears the user data.
void tag(io_uring_sqe* sqe, Did what, int fd) {
  io_uring_sqe_set_data64(sqe, static_cast<std::uint64_t>(what) << 32 | static_cast<std::uint32_t>(fd));
}

void accept_more(int door) {
  io_uring_sqe* const sqe = entry();
  io_uring_prep_multishot_accept(sqe, door, nullptr, nullptr, SOCK_CLOEXEC);
  tag(sqe, Did::accept, door);
}

void receive_more(int fd) {
  io_uring_sqe* const sqe = entry();
  io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = 0;
  tag(sqe, Did::receive, fd);
  client(fd).receiving = true;
}

void send_first(int fd) {
  const int index = client(fd).first;
  const Chunk& chunk = chunks[index];
  io_uring_sqe* const sqe = entry();
  io_uring_prep_send(sqe, fd, bytes(index) + chunk.sent, static_cast<std::size_t>(chunk.size - chunk.sent),
                     MSG_NOSIGNAL);
  tag(sqe, Did::send, fd);
}

void shelve(int index) {
  io_uring_buf_ring_add(shelf, bytes(index), buffer_size, static_cast<unsigned short>(index),
                        io_uring_buf_ring_mask(buffers), 0);
  io_uring_buf_ring_advance(shelf, 1);
  for (const int fd : starved) receive_more(fd);
  starved.clear();
}

/// Gives the first chunk of a client back; true when another one waits behind it.
bool drop_first(Client& of) {
  const int index = of.first;
  of.first = chunks[index].next;
  shelve(index);
  return of.first != none;
}

void close_when_done(int fd) {
  if (client(fd).first == none && !client(fd).receiving) ::close(fd);
}

void accepted(int door, const io_uring_cqe& cqe) {
  if (!(cqe.flags & IORING_CQE_F_MORE)) accept_more(door);
  if (cqe.res < 0) return;
  const auto fd = static_cast<std::size_t>(cqe.res);
  if (clients.size() <= fd) clients.resize(fd + 1024);
  clients[fd] = {};
  receive_more(cqe.res);
}

void received(int fd, const io_uring_cqe& cqe) {
  Client& from = client(fd);
  if (cqe.res > 0) {
    const int index = static_cast<int>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    chunks[index] = {cqe.res, 0, none};
    const bool idle = from.first == none;
    (idle ? from.first : chunks[from.last].next) = index;
    from.last = index;
    if (idle) send_first(fd);
  }
  if (cqe.flags & IORING_CQE_F_MORE) return;
  if (cqe.res > 0) return receive_more(fd);
  if (cqe.res == -ENOBUFS) return starved.push_back(fd);
  from.receiving = false;
  close_when_done(fd);
}

void sent(int fd, const io_uring_cqe& cqe) {
  Client& to = client(fd);
  if (cqe.res < 0) {
    // The receive that is still armed sees the shutdown and ends, so that the descriptor can be closed.
    while (drop_first(to)) {
    }
    ::shutdown(fd, SHUT_RDWR);
    return close_when_done(fd);
  }
  Chunk& chunk = chunks[to.first];
  chunk.sent += cqe.res;
  if (chunk.sent < chunk.size || drop_first(to)) return send_first(fd);
  close_when_done(fd);
}

void open_ring() {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  params.cq_entries = 4 * entries;
  if (const int error = io_uring_queue_init_params(entries, &ring, &params); error < 0) {
    errno = -error;
    floors::fail("io_uring_setup");
  }
  io_uring_register_ring_fd(&ring);
}

void fill_shelf() {
  const auto anonymous = [](std::size_t size) {
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) floors::fail("mmap");
    return at;
  };
  memory = static_cast<char*>(anonymous(std::size_t{buffers} * buffer_size));
  shelf = static_cast<io_uring_buf_ring*>(anonymous(buffers * sizeof(io_uring_buf)));
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(shelf);
  registration.ring_entries = buffers;
  if (const int error = io_uring_register_buf_ring(&ring, &registration, 0); error < 0) {
    errno = -error;
    floors::fail("io_uring_register_buf_ring");
  }
  io_uring_buf_ring_init(shelf);
  for (int i = 0; i < buffers; ++i) shelve(i);
}

void handle(const io_uring_cqe& cqe) {
  const int fd = static_cast<int>(static_cast<std::uint32_t>(cqe.user_data));
  switch (static_cast<Did>(cqe.user_data >> 32)) {
    case Did::accept: return accepted(fd, cqe);
    case Did::receive: return received(fd, cqe);
    case Did::send: return sent(fd, cqe);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), 0);
  open_ring();
  fill_shelf();
  accept_more(door);
  floors::ready();
  for (;;) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head;
    unsigned seen = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring, head, cqe) {
      handle(*cqe);
      ++seen;
    }
    io_uring_cq_advance(&ring, seen);
  }
}
