"""The examples about raw sockets, each on a host of its own, and without root where the kernel allows."""

import contextlib
import signal
import socket
import struct
import subprocess

import pytest

from harness import BUILD, PATIENCE, assert_sane, poll_until
from hosts import Host
from packets import icmp, payload

EXAMPLES = BUILD / "examples"


@contextlib.contextmanager
def running(host, name, tmp_path):
    """The example on the host, and a function that tells what it has printed."""
    output = tmp_path / "output"
    with open(output, "w") as out, subprocess.Popen([*host.wrapper, EXAMPLES / name], stdout=out, stderr=out) as program:
        try:
            poll_until(lambda: " listening " in output.read_text() or program.poll() is not None, what="it listens")
            yield output.read_text
            program.send_signal(signal.SIGTERM)
            assert program.wait(PATIENCE) == 0
        finally:
            program.kill()
    assert_sane(program.returncode, output.read_text())


def test_icmp_raw_socket_shows_what_comes(tmp_path):
    with Host() as host, running(host, "icmp_raw_socket", tmp_path) as printed, \
            host.socket(socket.AF_INET, socket.SOCK_RAW, 1) as one:
        one.sendto(icmp(8), ("127.0.0.3", 0))
        poll_until(lambda: "127.0.0.1 -> 127.0.0.3, ttl 64, 20 bytes: echo request" in printed(), what="a ping")
        one.sendto(icmp(8)[:-1] + b"!", ("127.0.0.3", 0))
        poll_until(lambda: "20 bytes: its checksum is wrong" in printed(), what="a damaged one")


def test_ip_header_included_writes_its_own_header(tmp_path):
    with Host() as host, running(host, "ip_header_included", tmp_path), \
            host.socket(socket.AF_INET, socket.SOCK_RAW, 253) as one:
        one.bind(("127.0.0.1", 0))
        one.sendto(b"hello", ("127.0.0.2", 0))
        packet = one.recv(1000)
        assert payload(packet) == b"hello"
        assert packet[8] == 7, "the time to live that it has written"
        assert struct.unpack("!H", packet[2:4])[0] == len(packet)
        assert socket.inet_ntoa(packet[12:16]) == "127.0.0.2"


DELIVERED = {
    "any, by protocol 0": "no such socket: Protocol not supported",
    "UDP": "delivered",
    "TCP": "delivered",
    "ICMP echo request": "delivered",
    "the same, its checksum wrong": "delivered",
    "IGMP": "delivered",
    "protocol 253, which nobody knows": "delivered",
}


def assert_table(text):
    rows = {line[:38].strip(): line[83:].strip() for line in text.splitlines()[1:]}
    assert rows == DELIVERED


def test_raw_delivery_tells_what_linux_does():
    with Host() as host:
        assert_table(host.run(EXAMPLES / "raw_delivery").stdout)


def test_raw_delivery_runs_without_root_in_a_network_of_its_own():
    command = ["unshare", "-rn", "sh", "-c", f"ip link set lo up; exec {EXAMPLES / 'raw_delivery'}"]
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0:
        pytest.skip("user namespaces are not permitted")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert_table(done.stdout)
