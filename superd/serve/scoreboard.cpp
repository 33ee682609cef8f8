#include "superd/serve/scoreboard.h"

#include <sys/random.h>

namespace superd {

Scoreboard::Scoreboard(const std::string& service) : Scoreboard(SharedMemory("superd " + service, sizeof(Contents))) {
  if (getrandom(&contents_.id, sizeof contents_.id, 0) != sizeof contents_.id)
    broken("the kernel has no random numbers");
  contents_.seats.begin();
}

Result<std::shared_ptr<const Scoreboard>> Scoreboard::attach(int descriptor) {
  auto memory = SharedMemory::attach(descriptor, sizeof(Contents));
  if (!memory) return std::unexpected(memory.error());
  return std::shared_ptr<const Scoreboard>(new Scoreboard(std::move(*memory)));
}

int Scoreboard::forget_the_dead() const noexcept {
  const int lost = contents_.seats.begin_anew();
  contents_.workers.release_process(0);
  contents_.counters.crashed.add(static_cast<std::uint64_t>(lost));
  return lost;
}

}  // namespace superd
