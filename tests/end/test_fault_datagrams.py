"""What the network does with datagrams: closed ports, empty ones, fragments, overruns, several addresses (faults 46, 48
to 57)."""

import contextlib
import os
import socket
import subprocess
import time

import pytest

from fault_tools import every_way, in_own_network, needs_namespaces, network_of, run_in, stopped
from harness import LARGEST_DATAGRAM, datagram_socket, poll_until

MANY = 3000

# All clients are at one address here, and a thread for each datagram is a conversation for each.
ONE_CLIENT = {"level": 64, "per_client": 64}


@every_way()
def test_clients_that_close_before_the_answer_comes_cost_nobody_else_anything(superd, way):
    program = superd({"echo": way.service(listen=["udp"], workers=2, **ONE_CLIENT)})
    place = program.place("echo")
    for _ in range(MANY):
        with datagram_socket(place.family, place.address) as client:
            client.send(b"I shall not wait")
    assert program.ask("echo", b"but I do") == b"but I do"
    counters = program.wait_for("echo", received=MANY + 1)
    assert counters["received"] == MANY + 1 and counters["failed"] == 0
    # The kernel took each answer; what the network said to it is nobody's fault.
    counters = program.wait_for("echo", answered=MANY + 1 - counters["dropped_source"])
    assert counters["failed_answer"] == 0


@every_way()
@pytest.mark.parametrize("kind", ["udp", "udp6"])
def test_an_empty_datagram_gets_an_empty_answer(superd, way, kind):
    program = superd({"echo": way.service(listen=[kind], workers=2)})
    with program.datagrams("echo", kind) as client:
        for _ in range(10):
            client.send(b"")
            assert client.recv(100) == b""
        client.send(b"not the end")
        assert client.recv(100) == b"not the end"
    counters = program.wait_for("echo", answered=11)
    assert counters["served"] == 11


@every_way()
@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.5", "127.9.9.9", "::1", "::ffff:127.0.0.3"])
def test_a_wildcard_listener_answers_from_the_address_that_was_asked(superd, way, asked):
    program = superd({"echo": way.service(listen=["udp/*:{port}"], workers=2)})
    family = socket.AF_INET6 if ":" in asked else socket.AF_INET
    # Connected, so that the kernel hands over nothing from another address.
    with datagram_socket(family, (asked, program.port("echo"))) as client:
        for size in (0, 5, 1400, 20_000):
            client.send(bytes(size))
            assert client.recv(LARGEST_DATAGRAM) == bytes(size)


@needs_namespaces
def test_a_machine_with_several_addresses_answers_from_the_one_that_was_asked(superd):
    addresses = {"10.7.7.7": 32, "10.8.8.8": 32, "2001:db8::7": 128, "2001:db8::8": 128}
    wrapper = in_own_network(*(f"ip addr add {address}/{bits} dev lo" + (" nodad" if ":" in address else "")
                               for address, bits in addresses.items()))
    program = superd({"echo": {"listen": ["udp/*:{port}"]}}, wrapper=wrapper)
    for address in addresses:
        with network_of(program.pid):
            client = datagram_socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                                     (address, program.port("echo")))
        with client:
            client.send(address.encode())
            assert client.recv(100) == address.encode()


@contextlib.contextmanager
def machine_behind_a_narrow_path(program):
    """A second network, joined to the program's by a path of 1280 bytes; the value is the pid that has it."""
    other = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; echo; exec cat"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        run_in(program.pid, "ip", "link", "add", "near", "mtu", "1280", "type", "veth", "peer", "name", "far", "mtu",
               "1280", "netns", str(other.pid))
        for pid, device, host in ((program.pid, "near", 1), (other.pid, "far", 2)):
            run_in(pid, "ip", "addr", "add", f"10.6.6.{host}/24", "dev", device)
            run_in(pid, "ip", "addr", "add", f"2001:db8:6::{host}/64", "dev", device, "nodad")
            run_in(pid, "ip", "link", "set", device, "up")
        yield other.pid
    finally:
        other.communicate()


@needs_namespaces
@pytest.mark.parametrize("address", ["10.6.6.1", "2001:db8:6::1"])
def test_answers_longer_than_the_path_arrive_in_fragments(superd, address):
    program = superd({"echo": {"listen": ["udp/*:{port}", "tcp/*:{port}"]}}, wrapper=in_own_network())
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with machine_behind_a_narrow_path(program) as there:
        with network_of(there):
            client = datagram_socket(family, (address, program.port("echo")))
        with client:
            for size in (100, 1232, 1472, 3000, 60_000):
                data = os.urandom(size)
                client.send(data)
                assert client.recv(LARGEST_DATAGRAM) == data
    assert program.counters("echo")["failed_answer"] == 0


@every_way()
def test_what_the_kernel_drops_because_the_buffer_is_full_is_counted(superd, way):
    program = superd({"discard": way.service(handler="discard", listen=["udp"], workers=1, receive_buffer="4KiB")})
    with program.datagrams("discard") as client:
        with stopped(program):
            for _ in range(MANY):
                client.send(b"one of too many")
        # The kernel tells with the next datagram that it can deliver; that one must not be dropped as well.
        program.wait_for("discard", received=1)
        sent, counters = MANY, {}

        def adds_up():
            nonlocal sent, counters
            client.send(b"and?")
            sent += 1
            counters = program.counters("discard")
            return counters["received"] + counters["kernel_drops"] == sent

        poll_until(adds_up, what="each datagram is received or counted as dropped")
    assert counters["kernel_drops"] > MANY / 2


@every_way()
def test_a_burst_is_kept_by_the_default_buffer(superd, way):
    program = superd({"echo": way.service(listen=["udp"], workers=2, **ONE_CLIENT)})
    with contextlib.ExitStack() as sockets:
        clients = [sockets.enter_context(program.datagrams("echo")) for _ in range(10)]
        with stopped(program):
            for number in range(MANY):
                clients[number % len(clients)].send(b"sixteen bytes...")
        counters = program.wait_for("echo", answered=MANY)
    assert counters["received"] == MANY and counters["kernel_drops"] == 0


@every_way()
def test_a_flood_of_datagrams_does_not_keep_connections_waiting(superd, way):
    program = superd({"echo": way.service(listen=["udp", "tcp"], workers=2, **ONE_CLIENT)})
    with program.datagrams("echo") as flood:
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            for _ in range(50):
                flood.send(b"x")
            with program.connect("echo", "tcp") as client:
                client.sendall(b"hello")
                assert client.recv(5) == b"hello"


WITHOUT_V6 = "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1"


@needs_namespaces
@every_way(but=lambda way: way.engine not in (None, "epoll"))
def test_without_ipv6_a_wildcard_listens_on_ipv4(superd, way):
    listen = ["tcp/*:{port}", "udp/*:{port}", "tcp/[::]:{port}"]
    program = superd({"echo": way.service(listen=listen, workers=1)}, wrapper=in_own_network(WITHOUT_V6))
    with network_of(program.pid):
        for kind in ("tcp/*:{port}", "tcp/[::]:{port}"):
            with socket.create_connection(("127.0.0.1", program.port("echo", kind))) as client:
                client.sendall(b"hello")
                assert client.recv(5) == b"hello"
        with datagram_socket(socket.AF_INET, ("127.0.0.1", program.port("echo", "udp/*:{port}"))) as client:
            client.send(b"hello")
            assert client.recv(5) == b"hello"
