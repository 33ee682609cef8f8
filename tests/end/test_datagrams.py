"""Datagrams: their sizes, whose address answers, who is never answered, and bursts."""

import os
import socket
import struct

import pytest

from harness import LARGEST_DATAGRAM, Superd, datagram_socket, every_way, name_of_way, poll_until, ways_to_serve

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root may send what the kernel has not made")


@pytest.fixture(scope="module", params=ways_to_serve(), ids=name_of_way)
def superd(request, tmp_path_factory):
    services = {"echo": {"listen": ["udp", "udp6", "udp/0.0.0.0:{port}", "udp/*:{port}"], **request.param}}
    with Superd(tmp_path_factory.mktemp("datagrams"), services) as program:
        yield program


V4_WILDCARD, WILDCARD = "udp/0.0.0.0:{port}", "udp/*:{port}"


# --- sizes ---


@pytest.mark.parametrize("kind", ["udp", "udp6"])
def test_an_empty_datagram_has_an_empty_answer(superd, kind):
    with superd.datagrams("echo", kind) as client:
        for request in (b"", b"", b"after"):
            client.send(request)
            assert client.recv(100) == request


@pytest.mark.parametrize("kind", ["udp", "udp6", V4_WILDCARD, WILDCARD])
@pytest.mark.parametrize("size", [1, 1472, 1473, 9000, 65506, LARGEST_DATAGRAM])
def test_a_datagram_of_any_size_comes_back_whole(superd, kind, size):
    request = os.urandom(size)
    assert superd.ask("echo", request, kind) == request


def test_the_largest_datagram_of_ipv6_is_answered_whole_or_not_at_all(superd):
    request = os.urandom(65527)
    with superd.datagrams("echo", "udp6") as client:
        client.send(request)
        client.send(b"next")
        answers = [client.recv(70_000)]
        if answers[0] != b"next":
            answers.append(client.recv(70_000))
        assert answers in ([b"next"], [request, b"next"])


# --- whose address answers ---


# A connected socket takes nothing from other addresses than the one it asked.
@pytest.mark.parametrize("kind, family, asked", [
    (V4_WILDCARD, socket.AF_INET, "127.0.0.1"), (V4_WILDCARD, socket.AF_INET, "127.0.0.2"),
    (V4_WILDCARD, socket.AF_INET, "127.1.2.3"), (WILDCARD, socket.AF_INET, "127.0.0.1"),
    (WILDCARD, socket.AF_INET, "127.0.0.2"), (WILDCARD, socket.AF_INET6, "::1"),
])
def test_the_address_that_was_asked_answers(superd, kind, family, asked):
    port = superd.port("echo", kind)
    with datagram_socket(family, (asked, port)) as client:
        client.send(b"who are you?")
        assert client.recv(100) == b"who are you?"


def test_the_port_that_was_asked_answers_each_of_many_clients(superd):
    clients = [superd.datagrams("echo", kind) for kind in ("udp", "udp6") for _ in range(8)]
    try:
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        for number, client in enumerate(clients):
            assert client.recv(100) == b"%d" % number
    finally:
        for client in clients:
            client.close()


# --- who is never answered ---


def settled(program):
    """The counters once all that was received is accounted for: an answer is counted after it has left."""
    fates = ("answered", "dropped_source", "dropped_truncated", "suppressed_answer", "failed_answer")

    def accounted():
        counters = program.counters("echo")
        return counters if counters["received"] == sum(counters[fate] for fate in fates) else None

    return poll_until(accounted, what="all datagrams are accounted for")


def send_raw(source, target, payload):
    """A datagram with a source of our choice; both are (address, port) of IPv4."""
    header = struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0)  # no checksum, which IPv4 allows
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        raw.bind((source[0], 0))
        raw.sendto(header + payload, (target[0], 0))


@needs_root
@pytest.mark.parametrize("port", [0, 7, 9, 13, 17, 19, 37, 53, 69, 123])
def test_ports_where_nobody_asks_are_not_answered(superd, port):
    before = settled(superd)
    send_raw(("127.0.0.1", port), superd.place("echo", "udp").address, b"answer me")
    after = superd.wait_for("echo", dropped_source=before["dropped_source"] + 1)
    assert after["answered"] == before["answered"]
    assert superd.ask("echo", b"well?", "udp") == b"well?"


@needs_root
@pytest.mark.parametrize("kind", ["udp", V4_WILDCARD])
def test_a_loop_between_two_of_our_ports_dies_at_once(superd, kind):
    before = settled(superd)
    other = ("127.0.0.1", superd.port("echo", "udp" if kind == V4_WILDCARD else V4_WILDCARD))
    send_raw(other, ("127.0.0.1", superd.port("echo", kind)), b"ping")
    after = superd.wait_for("echo", dropped_source=before["dropped_source"] + 1)
    assert after["received"] == before["received"] + 1
    assert after["answered"] == before["answered"]


@needs_root
def test_a_loop_of_a_port_with_itself_dies_at_once(superd):
    before = settled(superd)
    own = superd.place("echo", "udp").address
    send_raw(own, own, b"ping")
    after = superd.wait_for("echo", dropped_source=before["dropped_source"] + 1)
    assert after["received"] == before["received"] + 1


# --- bursts ---


SO_RCVBUFFORCE = 33  # asm-generic/socket.h; python has no name for it


@pytest.mark.parametrize(**every_way())
def test_what_the_kernel_drops_is_counted(tmp_path, way):
    sent = 500
    with Superd(tmp_path, {"echo": {"listen": ["udp"], **way, "receive_buffer": "16KiB", "per_client": 64}}) as program:
        with program.datagrams("echo") as client:
            with program.frozen():
                for _ in range(sent):
                    client.send(b"x" * 100)

            # The kernel tells its number with the next datagram that it delivers.
            def is_told():
                nonlocal sent
                client.send(b"")
                sent += 1
                return program.counters("echo")["kernel_drops"]

            poll_until(is_told, what="the kernel's drops")
        counters = program.wait_for("echo", received=sent - program.counters("echo")["kernel_drops"])
        assert counters["kernel_drops"] > 300
        assert counters["received"] + counters["kernel_drops"] == sent


@pytest.mark.skipif(not IS_ROOT, reason="only root may have a buffer beyond net.core.rmem_max")
@pytest.mark.parametrize("way", [{}] + ways_to_serve(), ids=lambda way: name_of_way(way) or "default")
def test_a_burst_of_ten_thousand_datagrams_loses_none(tmp_path, way):
    """Even when all come before the first is looked at."""
    burst = 10_000
    # A thread or process for each datagram makes many at once for one client, who may have 16 by default.
    roomy = {"per_client": 64} if way.get("design") in ("threads", "processes") else {}
    with Superd(tmp_path, {"echo": {"listen": ["udp"], **way, **roomy}}) as program:
        with program.datagrams("echo") as client:
            client.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
            with program.frozen():
                for number in range(burst):
                    client.send(struct.pack("!QQ", number, 0))
            answers = {client.recv(100) for _ in range(burst)}
            assert len(answers) == burst
        counters = program.wait_for("echo", answered=burst)
        assert counters["answered"] == counters["received"] == burst
        assert counters["kernel_drops"] == 0
