#include "superd/base/error.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace superd {

std::string errno_text(int code) {
  std::string text = strerrordesc_np(code) ? strerrordesc_np(code) : "error " + std::to_string(code);
  // "Permission denied" becomes "permission denied"; acronyms ("RFS specific error") stay.
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::unexpected<Error> system_error(std::string doing, int code) {
  return std::unexpected(Error{std::move(doing) + ": " + errno_text(code), code});
}

std::unexpected<Error> error(std::string what) { return std::unexpected(Error{std::move(what), 0}); }

void broken(const char* message) noexcept {
  std::fprintf(stderr, "superd: this cannot be: %s\n", message);
  std::abort();
}

}  // namespace superd
