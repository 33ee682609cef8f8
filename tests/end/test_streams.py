"""Conversations over streams, under every design and engine: whole, half closed, slow, greedy and broken off."""

import contextlib
import os
import select
import socket
import time

import pytest

from harness import (SLOWNESS, Superd, chargen_lines, converse_both_ways, name_of_way, poll_until, recv_all,
                     recv_exactly, reset, send_bytewise, ways_to_serve)

MEGABYTE = 1 << 20


@pytest.fixture(scope="module", params=ways_to_serve(), ids=name_of_way)
def superd(request, tmp_path_factory):
    services = {"echo": {"listen": ["tcp", "unix"]}, "chargen": {}, "daytime": {}, "discard": {}}
    roomy = {"level": 200, "per_client": 200}
    services = {name: {**service, **request.param, **roomy} for name, service in services.items()}
    with Superd(tmp_path_factory.mktemp("streams"), services) as program:
        yield program


def assert_serves(program):
    for kind in ("tcp", "unix"):
        with program.connect("echo", kind) as client:
            client.sendall(b"are you well?")
            assert recv_exactly(client, 13) == b"are you well?"
    with program.connect("daytime") as client:
        assert recv_all(client).endswith(b"\r\n")


# --- whole conversations ---


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_what_came_before_a_half_close_is_answered(superd, kind):
    with superd.connect("echo", kind) as client:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client) == b"last words"


def test_a_half_close_without_a_byte_ends_the_conversation(superd):
    with superd.connect("echo") as client:
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client) == b""


def test_who_half_closes_at_once_still_gets_an_answer(superd):
    with superd.connect("daytime") as client:
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client).endswith(b"\r\n")


def test_what_a_client_sent_unasked_does_not_destroy_its_answer(superd):
    for size in (1, 100_000):
        with contextlib.ExitStack() as stack:
            with superd.frozen():
                client = stack.enter_context(superd.connect("daytime"))
                client.sendall(b"x" * size)
                client.shutdown(socket.SHUT_WR)
            assert recv_all(client).endswith(b"\r\n")


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_client_that_sends_byte_by_byte_gets_all_back(superd, kind):
    text = bytes(range(256))
    with superd.connect("echo", kind) as client:
        send_bytewise(client, text)
        assert recv_exactly(client, len(text)) == text
        for byte in text[:50]:
            client.sendall(bytes([byte]))
            assert client.recv(1) == bytes([byte])


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_ten_megabytes_come_back_intact(superd, kind):
    data = os.urandom(10 * MEGABYTE)
    with superd.connect("echo", kind) as client:
        assert converse_both_ways(client, data) == data


def test_ten_megabytes_are_discarded(superd):
    with superd.connect("discard") as client:
        for _ in range(10):
            client.sendall(b"x" * MEGABYTE)
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client) == b""


def test_a_burst_of_clients_is_served_to_the_last(superd):
    """More than a listener takes in at one turn, and more than there are places or workers."""
    clients = [superd.connect("daytime") for _ in range(300)]
    try:
        for client in clients:
            assert recv_all(client).endswith(b"\r\n")
    finally:
        for client in clients:
            client.close()


# --- greedy clients ---


def send_until_stuck(client, most):
    client.setblocking(False)
    block = b"x" * 65536
    sent = 0
    while sent < most and select.select([], [client], [], 0.3 * SLOWNESS)[1]:
        sent += client.send(block)
    return sent


def test_a_client_that_sends_and_reads_nothing_is_held_back(superd):
    """Nothing is heaped up in the program: what the kernel's buffers do not hold stays with the client."""
    before = superd.resident_bytes()
    most = 64 * MEGABYTE
    with superd.connect("echo") as client:
        sent = send_until_stuck(client, most)
        assert sent < most
        assert superd.resident_bytes() - before < 8 * MEGABYTE
        client.settimeout(None)
        assert recv_exactly(client, sent) == b"x" * sent
    assert_serves(superd)


def wait_until_stuck(client):
    """Until the sender of what we do not read can send no more."""
    def unread():
        return len(client.recv(1 << 26, socket.MSG_PEEK | socket.MSG_DONTWAIT))

    seen = [-1] * 3

    def is_settled():
        seen.append(unread())
        return seen[-1] > 0 and seen[-1] == seen[-2] == seen[-3] == seen[-4]

    poll_until(is_settled, what="the sender is stuck")


def test_a_client_that_never_reads_costs_nothing(superd):
    before = superd.resident_bytes()
    with superd.connect("chargen") as client:
        wait_until_stuck(client)
        # A second in which the program is asked for little: a loop that spins for the client shows.
        end, cpu = time.monotonic() + 1, superd.cpu_seconds()
        with superd.connect("echo") as other:
            while time.monotonic() < end:
                other.sendall(b"ping")
                assert recv_exactly(other, 4) == b"ping"
                select.select([other], [], [], 0.05)
        assert superd.cpu_seconds() - cpu < 0.3
        assert superd.resident_bytes() - before < 8 * MEGABYTE
        # When it reads at last, nothing is missing.
        wanted = chargen_lines(20_000)
        assert recv_exactly(client, len(wanted)) == wanted
    assert_serves(superd)


# --- clients that break off ---


def wait_until_all_are_gone(program):
    for service in ("echo", "chargen", "daytime"):
        program.wait_for_level(service, 0)


def test_resets_before_accept_are_survived(superd):
    with superd.frozen():
        for service in ("echo", "chargen", "daytime"):
            for text in (b"", b"hello"):
                for _ in range(5):
                    client = superd.connect(service)
                    client.sendall(text)
                    reset(client)
    assert_serves(superd)
    wait_until_all_are_gone(superd)


def test_resets_right_after_connect_are_survived(superd):
    for service in ("echo", "chargen", "daytime"):
        for _ in range(10):
            reset(superd.connect(service))
    assert_serves(superd)
    wait_until_all_are_gone(superd)


def test_resets_while_the_program_waits_for_more_are_survived_and_counted(superd):
    before = superd.counters("echo")["reset_by_client"]
    for _ in range(10):
        client = superd.connect("echo")
        client.sendall(b"hello")
        assert recv_exactly(client, 5) == b"hello"
        reset(client)
    assert superd.wait_for("echo", reset_by_client=before + 10)["reset_by_client"] == before + 10
    assert_serves(superd)
    wait_until_all_are_gone(superd)


def test_resets_with_an_answer_unread_are_survived_and_counted(superd):
    before = superd.counters("echo")["reset_by_client"]
    for _ in range(3):
        client = superd.connect("echo")
        send_until_stuck(client, 64 * MEGABYTE)
        reset(client)
    assert superd.wait_for("echo", reset_by_client=before + 3)["reset_by_client"] == before + 3
    assert_serves(superd)
    wait_until_all_are_gone(superd)


def test_resets_during_a_write_are_survived_and_counted(superd):
    before = superd.counters("chargen")["reset_by_client"]
    for read in (0, 1000, 200_000):
        client = superd.connect("chargen")
        recv_exactly(client, read)
        if read == 1000:
            wait_until_stuck(client)
        reset(client)
    assert superd.wait_for("chargen", reset_by_client=before + 3)["reset_by_client"] == before + 3
    assert_serves(superd)
    wait_until_all_are_gone(superd)


def test_an_orderly_end_during_a_write_is_survived(superd):
    for _ in range(5):
        with superd.connect("chargen") as client:
            recv_exactly(client, 1000)
    wait_until_all_are_gone(superd)
    assert_serves(superd)
