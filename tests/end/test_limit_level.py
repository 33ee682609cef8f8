"""The level and each client's share of it: exact under every design, whatever comes at once (faults 27, 29, 54)."""

import contextlib
import socket
import threading

import pytest

from fault_tools import (every_way, has_ended, in_own_network, is_echoed, is_refused, is_reset, needs_namespaces,
                         network_of, one_at_a_time)
from harness import connect, has_bytes, poll_until, recv_exactly

LEVEL = 4

# More threads than seats, so that it is the level that bounds and not the threads.
WORKERS = LEVEL + 3


def at_level(way, **settings):
    return way.service(workers=WORKERS, **{"level": LEVEL, "per_client": LEVEL, **settings})


class Queue:
    """Clients of which each has asked and waits for its answer."""

    def __init__(self, superd, sockets, count):
        self.waiting = [sockets.enter_context(superd.connect("echo")) for _ in range(count)]
        for client in self.waiting:
            client.sendall(b"me")
        self.seated = []

    def seat(self):
        """Notes who has been answered."""
        for client in [client for client in self.waiting if has_bytes(client)]:
            assert recv_exactly(client, 2) == b"me"
            self.waiting.remove(client)
            self.seated.append(client)
        return self.seated

    def one_leaves(self):
        self.seated.pop(0).close()


@every_way(but=one_at_a_time)
def test_at_the_level_clients_wait_and_get_the_next_free_seat(superd, way):
    program = superd({"echo": at_level(way)})
    with contextlib.ExitStack() as sockets:
        queue = Queue(program, sockets, LEVEL + 5)
        while queue.waiting:
            poll_until(lambda: len(queue.seat()) == LEVEL, what="all seats are taken")
            program.wait_for_level("echo", LEVEL)
            program.wait_for("echo", full=1)
            assert len(queue.seat()) == LEVEL, "more than the level were answered"
            queue.one_leaves()
    counters = program.wait_for("echo", served=LEVEL + 5)
    assert (counters["accepted"], counters["served"], counters["peak"]) == (LEVEL + 5, LEVEL + 5, LEVEL)
    assert counters["refused_level"] == counters["refused_client"] == 0


@every_way()
def test_never_more_than_the_level_are_served_at_once_and_all_are_served(superd, way):
    program = superd({"echo": at_level(way)})
    rounds, visitors, failures = 10, 12, []

    def visit():
        try:
            for _ in range(rounds):
                with program.connect("echo") as client:
                    assert is_echoed(client)
        except Exception as failure:
            failures.append(failure)

    crowd = [threading.Thread(target=visit) for _ in range(visitors)]
    for visitor in crowd:
        visitor.start()
    for visitor in crowd:
        visitor.join()
    assert not failures
    counters = program.wait_for("echo", served=rounds * visitors)
    assert counters["accepted"] == counters["served"] == rounds * visitors
    assert 1 <= counters["peak"] <= LEVEL
    program.wait_for_level("echo", 0)


@every_way(but=one_at_a_time)
def test_at_the_level_clients_are_reset_where_that_is_wanted(superd, way):
    program = superd({"echo": at_level(way, when_full="refuse", per_client=2 * LEVEL)})
    with contextlib.ExitStack() as sockets:
        inside = [sockets.enter_context(program.connect("echo")) for _ in range(LEVEL)]
        assert all(is_echoed(client) for client in inside)
        for _ in range(3):
            assert is_refused(program, "echo")
        counters = program.wait_for("echo", refused_level=3)
        assert (counters["refused_level"], counters["level"], counters["peak"]) == (3, LEVEL, LEVEL)
        assert all(is_echoed(client) for client in inside)
        inside[0].close()
        # A process has its place until it has been reaped.
        program.wait_for_level("echo", LEVEL - 1)
        with program.connect("echo") as next_one:
            assert is_echoed(next_one)


@every_way(but=one_at_a_time)
def test_a_client_beyond_its_share_is_reset_and_others_are_not(superd, way):
    program = superd({"echo": at_level(way, level=2 * LEVEL, per_client=2)})
    with contextlib.ExitStack() as sockets:
        greedy = [sockets.enter_context(program.connect("echo")) for _ in range(2)]
        assert all(is_echoed(client) for client in greedy)
        for _ in range(3):
            assert is_refused(program, "echo")
        other = sockets.enter_context(program.connect("echo", source=("127.0.0.2", 0)))
        assert is_echoed(other)
        counters = program.wait_for("echo", refused_client=3)
        assert (counters["refused_client"], counters["level"]) == (3, 3)
        greedy[0].close()
        program.wait_for_level("echo", 2)
        with program.connect("echo") as again:
            assert is_echoed(again)
        assert all(is_echoed(client) for client in (greedy[1], other))


@every_way(but=one_at_a_time)
def test_the_clients_of_a_unix_socket_are_told_apart_by_user(superd, way):
    program = superd({"echo": at_level(way, listen=["unix"], per_client=2)})
    with contextlib.ExitStack() as sockets:
        clients = [sockets.enter_context(program.connect("echo")) for _ in range(2)]
        assert all(is_echoed(client) for client in clients)
        with program.connect("echo") as refused:
            assert has_ended(refused)
        assert program.wait_for("echo", refused_client=1)["refused_client"] == 1
        assert all(is_echoed(client) for client in clients)


@every_way(but=one_at_a_time)
def test_a_mapped_address_is_the_same_client_as_its_ipv4_address(superd, way):
    program = superd({"echo": at_level(way, listen=["tcp/*:{port}", "tcp"], level=2 * LEVEL, per_client=2)})
    both = program.port("echo", "tcp/*:{port}")
    with contextlib.ExitStack() as sockets:
        mapped = sockets.enter_context(connect(socket.AF_INET6, ("::ffff:127.0.0.1", both)))
        plain = sockets.enter_context(program.connect("echo", "tcp"))
        assert is_echoed(mapped) and is_echoed(plain)
        for family, address in ((socket.AF_INET, ("127.0.0.1", both)), (socket.AF_INET6, ("::ffff:127.0.0.1", both)),
                                (socket.AF_INET, program.place("echo", "tcp").address)):
            assert is_reset(lambda: connect(family, address))
        v6 = sockets.enter_context(connect(socket.AF_INET6, ("::1", both)))
        assert is_echoed(v6)
    assert program.wait_for("echo", refused_client=3)["refused_client"] == 3


@needs_namespaces
def test_a_slash_64_is_one_client(superd):
    wrapper = in_own_network(*(f"ip -6 addr add {address}/128 dev lo nodad"
                               for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")))
    program = superd({"echo": {"listen": ["tcp/[::]:{port}"], "per_client": 1}}, wrapper=wrapper)
    port = program.port("echo")

    def from_address(address):
        with network_of(program.pid):
            return connect(socket.AF_INET6, ("::1", port), source=(address, 0))

    with from_address("2001:db8::1") as first, from_address("2001:db8:0:1::1") as other:
        assert is_echoed(first) and is_echoed(other)
        assert is_reset(lambda: from_address("2001:db8::ffff:2"))


@every_way(but=one_at_a_time)
@pytest.mark.parametrize("there", ["tcp6", "unix"])
def test_a_seat_that_is_left_at_one_listener_is_taken_at_another(superd, way, there):
    program = superd({"echo": at_level(way, listen=["tcp", there], level=1, per_client=1)})
    for here, elsewhere in ((None, there), (there, None)):
        with program.connect("echo", elsewhere) as waiting:
            with program.connect("echo", here) as seated:
                first, second = seated, waiting
                # Whoever is answered first has the seat.
                for client in (seated, waiting):
                    client.sendall(b"me")
                if poll_until(lambda: [c for c in (seated, waiting) if has_bytes(c)])[0] is waiting:
                    first, second = waiting, seated
                assert recv_exactly(first, 2) == b"me"
                assert not has_bytes(second)
                first.close()
                assert recv_exactly(second, 2) == b"me"
    assert program.wait_for("echo", served=4)["peak"] == 1


@every_way()
@pytest.mark.parametrize("when_full", ["wait", "refuse"])
def test_datagrams_over_the_level_stay_in_the_socket_and_are_answered_later(superd, way, when_full):
    program = superd({"echo": way.service(listen=["tcp", "udp"], workers=2, level=1, per_client=1,
                                          when_full=when_full)})
    requests = [str(number).encode() for number in range(20)]
    with program.datagrams("echo") as client:
        with program.connect("echo") as seated:
            assert is_echoed(seated)
            for request in requests:
                client.send(request)
            # They have arrived; what is not there later was lost.
            assert is_echoed(seated)
            assert not has_bytes(client)
            counters = program.counters("echo")
            assert counters["answered"] == 0 and counters["level"] == 1
        assert sorted(client.recv(100) for _ in requests) == sorted(requests)
    counters = program.wait_for("echo", answered=len(requests))
    assert counters["received"] == counters["answered"] == len(requests)
    assert counters["peak"] == 1 and counters["dropped_client"] == 0


@every_way()
def test_services_have_levels_of_their_own(superd, way):
    program = superd({"echo": way.service(workers=2, level=1, per_client=1),
                      "daytime": way.service(handler="daytime", workers=2, level=1, per_client=1)})
    with program.connect("echo") as seated:
        assert is_echoed(seated)
        with program.connect("daytime") as client:
            assert client.recv(100).endswith(b"\r\n")
