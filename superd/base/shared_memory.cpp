#include "superd/base/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>

namespace superd {

namespace {

// -1 where the kernel gives none: out of descriptors, or forbidden.
int sized_descriptor(const std::string& name, std::size_t size) noexcept {
  const int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  if (ftruncate(fd, static_cast<off_t>(size)) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
    return fd;
  close(fd);
  return -1;
}

void* mapped(int fd, std::size_t size, int kind) noexcept {
  void* const data = mmap(nullptr, size, PROT_READ | PROT_WRITE, kind | MAP_NORESERVE, fd, 0);
  if (data == MAP_FAILED) return nullptr;
  // To write a core, the kernel would read all of it, which touches all that is reserved.
  (void)madvise(data, size, MADV_DONTDUMP);
  return data;
}

Result<> check_attachable(int descriptor, std::size_t size) {
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return system_error("look at shared memory");
  if (status.st_size != static_cast<off_t>(size))
    return error("attach shared memory: it has " + std::to_string(status.st_size) + " bytes instead of " +
                 std::to_string(size) + ", so another version has made it");
  const int seals = fcntl(descriptor, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return error("attach shared memory: its size is not sealed");
  return {};
}

}  // namespace

SharedMemory::SharedMemory(const std::string& name, std::size_t size) : size_(size) {
  fd_ = sized_descriptor(name, size);
  const int kind = fd_ < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  data_ = mapped(fd_, size, kind);
  if (data_) return;
  if (fd_ >= 0) close(fd_);
  throw std::bad_alloc();
}

Result<SharedMemory> SharedMemory::attach(int descriptor, std::size_t size) {
  if (auto checked = check_attachable(descriptor, size); !checked) return std::unexpected(checked.error());
  SharedMemory memory;
  memory.fd_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (memory.fd_ < 0) return system_error("keep a descriptor of shared memory");
  memory.data_ = mapped(memory.fd_, size, MAP_SHARED);
  if (!memory.data_) return system_error("map shared memory");
  memory.size_ = size;
  return memory;
}

SharedMemory::~SharedMemory() {
  if (data_) munmap(data_, size_);
  if (fd_ >= 0) close(fd_);
}

}  // namespace superd
