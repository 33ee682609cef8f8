#include "superd/config/config.h"

namespace superd {

namespace {

// Addresses of 127.0.0.1 alone: it is there on every host, ::1 is not. Ports by number: a small image has no
// services database.
constexpr std::string_view text =
    R"(# The super server: six small services of the early internet, each over TCP and UDP, for this machine alone.
# Their well-known ports need privileges, so 10000 is added to each: echo answers on port 10007.
#
# This is a file to start from. Change it, look at it with `superd --check FILE`, run it with `superd --config FILE`.
# `superd --print-config` shows every key with its default and its meaning.

[superd]
port_base = 10000

[service.echo]     # sends back what it is sent (RFC 862)
listen = ["tcp/127.0.0.1:7", "udp/127.0.0.1:7"]

[service.discard]  # takes everything, answers nothing (RFC 863)
listen = ["tcp/127.0.0.1:9", "udp/127.0.0.1:9"]

[service.chargen]  # an endless pattern of characters (RFC 864)
listen = ["tcp/127.0.0.1:19", "udp/127.0.0.1:19"]

[service.daytime]  # the time as a line of text (RFC 867)
listen = ["tcp/127.0.0.1:13", "udp/127.0.0.1:13"]

[service.time]     # the time as a number of four bytes (RFC 868)
listen = ["tcp/127.0.0.1:37", "udp/127.0.0.1:37"]

[service.qotd]     # a quote of the day (RFC 865)
listen = ["tcp/127.0.0.1:17", "udp/127.0.0.1:17"]
)";

}  // namespace

std::string_view default_config() noexcept { return text; }

}  // namespace superd
