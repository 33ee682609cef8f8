/// What programs are measured with: 26 bytes, as daytime answers, and the end. Linked statically, so that starting it is
/// little more than the kernel's part.

#include <unistd.h>

int main() {
  static constexpr char answer[] = "Thu Jan  1 00:00:00 1970\r\n";
  return write(STDOUT_FILENO, answer, sizeof answer - 1) == sizeof answer - 1 ? 0 : 1;
}
