#include "superd/base/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
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

}  // namespace

SharedMemory::SharedMemory(const std::string& name, std::size_t size) : size_(size) {
  fd_ = sized_descriptor(name, size);
  const int kind = fd_ < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  data_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, kind | MAP_NORESERVE, fd_, 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    if (fd_ >= 0) close(fd_);
    throw std::bad_alloc();
  }
  // To write a core, the kernel would read all of it, which touches all that is reserved.
  (void)madvise(data_, size, MADV_DONTDUMP);
}

SharedMemory::~SharedMemory() {
  if (data_) munmap(data_, size_);
  if (fd_ >= 0) close(fd_);
}

}  // namespace superd
