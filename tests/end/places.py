"""Places to listen that are free, and how the configuration writes them."""

import contextlib
import itertools
import os
import json
import random
import socket

TEMPLATES = {
    "tcp": "tcp/127.0.0.1:{port}",
    "udp": "udp/127.0.0.1:{port}",
    "tcp6": "tcp/[::1]:{port}",
    "udp6": "udp/[::1]:{port}",
    "unix": "unix:{path}",
}


class PortInUse(Exception):
    pass


def ports_in_turn():
    """The ports of this worker, one after the other and round again: those of one configuration differ, and workers that
    run side by side do not take each other's. Below the ephemeral range, so that no client's own port can be one of
    the program's: datagrams from its own ports it does not answer."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    width = (32000 - 15000) // count
    begin = random.SystemRandom().randrange(width)
    while True:
        for port in range(width):
            yield 15000 + worker * width + (begin + port) % width


PORTS = ports_in_turn()


def free_port():
    """A port that nobody has on either transport or family."""
    for port in itertools.islice(PORTS, 1000):
        with contextlib.ExitStack() as stack:
            try:
                for family, wildcard in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        probe = stack.enter_context(socket.socket(family, kind))
                        if family == socket.AF_INET6:
                            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                        probe.bind((wildcard, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(str(value))


class Place:
    """A listener of a service: its text in the configuration, and where clients find it."""

    def __init__(self, kind, path):
        template = TEMPLATES.get(kind, kind)
        self.kind = kind
        self.path = str(path)
        self.port = free_port() if "{port}" in template else None
        self.text = template.replace("{port}", str(self.port)).replace("{path}", self.path)
        if template.startswith("unix:"):
            self.family, self.address = socket.AF_UNIX, self.text[len("unix:"):]
        else:
            self.family = socket.AF_INET6 if "[" in template else socket.AF_INET
            host = "::1" if self.family == socket.AF_INET6 else "127.0.0.1"
            self.address = (host, self.port)
