#pragma once

#include <linux/filter.h>

#include <string>
#include <string_view>
#include <vector>

#include "superd/base/error.h"

namespace superd {

/// A filter program of the classic kind (bpf(4) of BSD; Linux's Documentation/networking/filter.rst), written as numbers:
/// how many instructions, then code, jt, jf and k of each, between blanks, line ends or commas, as `tcpdump -ddd` and
/// nfbpf_compile(8) print it. Whether it is one that ends is for the kernel to say, when it is attached.
[[nodiscard]] Result<std::vector<sock_filter>> parse_bpf(std::string_view text);

/// The same program in one line: "2,48 0 0 9,6 0 0 65535"; of none nothing.
[[nodiscard]] std::string bpf_text(const std::vector<sock_filter>& program);

/// Lets the socket receive what the program lets pass, from now on; of no program everything.
[[nodiscard]] Result<> attach_bpf(int socket, const std::vector<sock_filter>& program, const std::string& where);
/// Lets it receive nothing.
[[nodiscard]] Result<> attach_nothing(int socket, const std::string& where);

}  // namespace superd
