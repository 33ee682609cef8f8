"""Networks of the tests' own: a client, routers and a target in a row, each in its network namespace.

    with Row(routers=3) as row:
        row.superctl("trace", row.target)

Node 0 is the client, the last one the target. Between node i and node i + 1 lies the network 10.77.(i + 1).0/24, and
fd77:(i + 1)::/64: the left one has 1 in it, the right one 2.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import BUILD, PATIENCE

COUNTER = itertools.count()
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all",
          "--inh-caps", "-all")


def skip_without_namespaces():
    """Once for each row: namespaces, and what is done in them."""
    for tool in ("ip", "nft", "setpriv", "sysctl"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("network namespaces are for root")
    probe = f"superd-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode != 0:
        pytest.skip("network namespaces are not to be had")
    subprocess.run(["ip", "netns", "delete", probe], check=True)


class Row:
    def __init__(self, routers=0, slow_link=None, slow_options=()):
        """`slow_link`: the number of the node on the left of a link that slow_link.py makes."""
        self.prefix = f"superd-{os.getpid()}-{next(COUNTER)}"
        self.size = routers + 2
        self.slow_link, self.slow_options = slow_link, slow_options
        self.slow = None

    # --- what is where ---

    def namespace(self, node):
        return f"{self.prefix}-{node % self.size}"

    def address(self, node, version=4):
        """By which a node is known to the client: that of its left side."""
        network = node % self.size
        return f"10.77.{network}.2" if version == 4 else f"fd77:{network}::2"

    @property
    def target(self):
        return self.address(self.size - 1)

    # --- what is done there ---

    def run(self, node, *command, **options):
        options.setdefault("check", True)
        return subprocess.run(["ip", "netns", "exec", self.namespace(node), *map(str, command)], text=True,
                              capture_output=True, timeout=6 * PATIENCE, **options)

    def shell(self, node, *lines):
        self.run(node, "sh", "-ec", "\n".join(lines))

    def superctl(self, *arguments, code=0, user=()):
        """By the client; `user`: NOBODY, or root."""
        done = self.run(0, *user, BUILD / "superctl", *arguments, check=False)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def filter(self, node, hook, *rules):
        """Rules of nftables, for both families."""
        lines = ["table inet t {", f"chain {hook} {{ type filter hook {hook} priority 0;", *rules, "}", "}"]
        self.run(node, "nft", "-f", "-", input="\n".join(lines))

    def introduce(self):
        """Neighbours find each other, which may take seconds: afterwards nobody waits for that."""
        for version in (4, 6):
            self.superctl("ping", "-q", "-c", 1, "--timeout", "10s", self.address(self.size - 1, version))

    def allow_ping_sockets(self, node=0):
        self.run(node, "sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")

    # --- how it comes and goes ---

    def __enter__(self):
        skip_without_namespaces()
        try:
            self.build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def build(self):
        for node in range(self.size):
            subprocess.run(["ip", "netns", "add", self.namespace(node)], check=True)
            # Nobody else can have its addresses: they are good at once (RFC 4862, 5.4).
            self.run(node, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        for left in range(self.size - 1):
            if left == self.slow_link:
                self.start_slow_link(left)
            else:
                self.join(left)
        for node in range(self.size):
            self.shell(node, "ip link set lo up", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
                       "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0", *self.routes(node))

    def join(self, left):
        self.shell(left, f"ip link add right type veth peer name left netns {self.namespace(left + 1)}",
                   f"ip addr add 10.77.{left + 1}.1/24 dev right", f"ip addr add fd77:{left + 1}::1/64 dev right nodad",
                   "ip link set right up")
        self.shell(left + 1, f"ip addr add 10.77.{left + 1}.2/24 dev left", f"ip addr add fd77:{left + 1}::2/64 dev left nodad",
                   "ip link set left up")

    def start_slow_link(self, left):
        if not Path("/dev/net/tun").exists():
            pytest.skip("there are no TUN devices")
        ends = []
        for side, node in ((1, left), (2, left + 1)):
            ends += [self.namespace(node), f"10.77.{left + 1}.{side}/24,fd77:{left + 1}::{side}/64"]
        self.slow = subprocess.Popen([sys.executable, Path(__file__).parent / "slow_link.py", *ends, *self.slow_options],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.slow.stdout.readline() == b"ready\n"

    def routes(self, node):
        """To the networks that are not its own: the left ones by the left neighbour, the others by the right one."""
        for network in range(1, self.size):
            if network < node:
                yield f"ip route add 10.77.{network}.0/24 via 10.77.{node}.1"
                yield f"ip route add fd77:{network}::/64 via fd77:{node}::1"
            elif network > node + 1:
                yield f"ip route add 10.77.{network}.0/24 via 10.77.{node + 1}.2"
                yield f"ip route add fd77:{network}::/64 via fd77:{node + 1}::2"

    def remove(self):
        if self.slow:
            self.slow.communicate()
        for node in range(self.size):
            with contextlib.suppress(subprocess.CalledProcessError):
                subprocess.run(["ip", "netns", "delete", self.namespace(node)], check=True, capture_output=True)
