"""Hosts of their own, as network namespaces, and what runs in them.

    with two_hosts() as (server, client):
        client.run("ping", "-c1", server.address)
        with client.socket(socket.AF_INET, socket.SOCK_DGRAM) as one: ...
"""

import contextlib
import ctypes
import ctypes.util
import itertools
import os
import socket
import subprocess
import threading

import pytest

from harness import PATIENCE

NUMBERS = itertools.count()
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)


class Host:
    """A network namespace with a loopback interface, which goes with the with statement."""

    def __init__(self):
        self.name = f"superd-{os.getpid()}-{next(NUMBERS)}"
        self.address = self.address6 = self.interface = None
        self.wrapper = ["ip", "netns", "exec", self.name]

    def __enter__(self):
        if os.geteuid() != 0:
            pytest.skip("network namespaces are for root")
        if subprocess.run(["ip", "netns", "add", self.name], capture_output=True).returncode != 0:
            pytest.skip("network namespaces are not permitted")
        self.run("ip", "link", "set", "lo", "up")
        self.sysctl(net__ipv6__conf__default__accept_dad=0)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def run(self, *command, check=True, **options):
        options.setdefault("timeout", PATIENCE)
        return subprocess.run([*self.wrapper, *map(str, command)], check=check, text=True, capture_output=True, **options)

    def sysctl(self, **settings):
        for name, value in settings.items():
            self.run("sysctl", "-qw", f"{name.replace('__', '.')}={value}")

    def socket(self, *arguments):
        """A socket that is of this host, for this process."""
        made = []

        def make():
            with open(f"/var/run/netns/{self.name}") as there:
                if LIBC.setns(there.fileno(), CLONE_NEWNET) == 0:
                    made.append(socket.socket(*arguments))

        thread = threading.Thread(target=make)  # only it goes there, and it ends there
        thread.start()
        thread.join()
        assert made, "no socket there"
        made[0].settimeout(PATIENCE)
        return made[0]


@contextlib.contextmanager
def two_hosts():
    """A server and a client with a link, eth0, between them."""
    with Host() as server, Host() as client:
        subprocess.run(["ip", "link", "add", "eth0", "netns", server.name, "type", "veth", "peer", "name", "eth0", "netns",
                        client.name], check=True)
        for number, host in enumerate((server, client), start=1):
            host.address, host.address6 = f"10.99.0.{number}", f"fd00:99::{number}"
            host.run("ip", "address", "add", f"{host.address}/24", "broadcast", "+", "dev", "eth0")
            host.run("ip", "-6", "address", "add", f"{host.address6}/64", "dev", "eth0", "nodad")
            host.run("ip", "link", "set", "eth0", "up")
            host.interface = int(host.run("ip", "-o", "link", "show", "eth0").stdout.split(":")[0])
        yield server, client
