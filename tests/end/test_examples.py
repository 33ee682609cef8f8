"""The example programs: each starts, answers right, and ends on a signal."""

import datetime
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from harness import (BUILD, FROM_1900_TO_1970, LARGEST_DATAGRAM, PATIENCE, ROOT, assert_sane, chargen_lines, connect,
                     converse_both_ways, datagram_socket, free_port, poll_until, recv_all, recv_exactly)


def tcp(port):
    return connect(socket.AF_INET, ("127.0.0.1", port))


def ask_udp(port, request=b"?"):
    with datagram_socket(socket.AF_INET, ("127.0.0.1", port)) as client:
        client.send(request)
        return client.recv(LARGEST_DATAGRAM)


def assert_daytime(text):
    said = datetime.datetime.strptime(text.decode().strip(), "%a %b %d %H:%M:%S %Y")
    assert abs((datetime.datetime.now() - said).total_seconds()) < 5


def assert_time(number):
    assert len(number) == 4
    assert abs(struct.unpack("!I", number)[0] - FROM_1900_TO_1970 - time.time()) < 5


def answer_of(port):
    with tcp(port) as client:
        return recv_all(client)


def check_udp_time(port):
    assert_time(ask_udp(port))


def check_tcp_daytime(port):
    for _ in range(3):
        assert_daytime(answer_of(port))


def check_both_daytimes(port):
    check_tcp_daytime(port)
    assert_daytime(ask_udp(port))


def check_echo(port):
    data = os.urandom(300_000)
    with tcp(port) as silent, tcp(port) as client:
        assert converse_both_ways(client, data) == data
        silent.sendall(b"not for long")
        assert recv_exactly(silent, 12) == b"not for long"


def check_super_server(base):
    check_echo(base + 7)
    assert ask_udp(base + 7, b"hello") == b"hello"
    with tcp(base + 19) as client:
        assert recv_exactly(client, 148) == chargen_lines(2)
    assert chargen_lines(10).startswith(ask_udp(base + 19))
    check_both_daytimes(base + 13)
    assert_time(answer_of(base + 37))
    check_udp_time(base + 37)


# Each with its checker and the number of its listeners.
EXAMPLES = {
    "udp_time_iterative": (check_udp_time, 1),
    "tcp_daytime_iterative": (check_tcp_daytime, 1),
    "tcp_echo_threads": (check_echo, 1),
    "tcp_echo_select": (check_echo, 1),
    "multiprotocol_daytime": (check_both_daytimes, 2),
    "multiprotocol_daytime_concurrent": (check_both_daytimes, 2),
    "super_server": (check_super_server, 8),
}


# Those that need a network of their own: test_examples_raw.py.
RAW = ("icmp_raw_socket", "ip_header_included", "raw_delivery")
NAMES = sorted(source.stem for source in (ROOT / "examples").glob("*.cpp"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in RAW])
def test_the_example_serves_and_ends(name, tmp_path):
    assert name in EXAMPLES, f"the example {name} is new: write its checker in EXAMPLES"
    check, listeners = EXAMPLES[name]
    for attempt in range(5):
        log = tmp_path / f"log-{attempt}"
        port = free_port()
        with open(log, "w") as errors, subprocess.Popen([BUILD / "examples" / name, str(port)], stderr=errors) as program:
            try:
                poll_until(lambda: log.read_text().count(" listening ") == listeners or program.poll() is not None,
                           what=f"{name} listens")
                if program.poll() == 111 and "in use" in log.read_text():
                    continue  # somebody was quicker: with another port
                check(port)
                program.send_signal(signal.SIGTERM)
                program.wait(PATIENCE)
            finally:
                program.kill()
        assert_sane(program.returncode, log.read_text())
        assert program.returncode == 0
        return
    raise AssertionError("no port stayed free")


def test_an_example_without_a_free_port_says_so(tmp_path):
    with socket.create_server(("", 0)) as taken:
        done = subprocess.run([BUILD / "examples/tcp_echo_threads", str(taken.getsockname()[1])], capture_output=True,
                              text=True, timeout=PATIENCE)
    assert done.returncode == 111
    assert "in use" in done.stderr and len(done.stderr.splitlines()) == 1
