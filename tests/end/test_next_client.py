"""What the next client gets behind one who computes, and behind one who is silent."""

import contextlib

import pytest

from fault_tools import every_way, is_echoed, one_at_a_time
from harness import Superd, has_bytes, poll_until, recv_exactly

# Those whose threads or processes serve others while a handler computes.
PARALLEL = ("threads", "processes", "prethreaded", "preforked", "delayed", "adaptive")
HOG = b"compute 2s\n"


def one_after_the_other(way):
    return way.row["name"] not in PARALLEL


def begin_to_compute(program, client):
    client.sendall(HOG)
    program.wait_for_level("slow", 1)


@every_way(but=one_after_the_other)
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_the_next_clients_are_served_while_one_computes(tmp_path, way, kind):
    with Superd(tmp_path, {"slow": way.service(handler="slow", listen=[kind], workers=3)}) as program:
        with program.connect("slow") as hog:
            begin_to_compute(program, hog)
            for _ in range(3):
                with program.connect("slow") as client:
                    client.sendall(b"compute 1ms\n")
                    assert recv_exactly(client, 17) == b"done compute 1ms\n"
            assert not has_bytes(hog), "served, but only after the one who computes"
            assert recv_exactly(hog, 16) == b"done compute 2s\n"


@every_way(but=one_after_the_other)
def test_the_next_datagrams_are_answered_while_one_computes(tmp_path, way):
    with Superd(tmp_path, {"slow": way.service(handler="slow", listen=["udp"], workers=3)}) as program:
        with program.datagrams("slow") as hog, program.datagrams("slow") as client:
            hog.send(HOG)
            program.wait_for("slow", received=1)
            for _ in range(5):
                client.send(b"compute 1ms\n")
            assert [client.recv(100) for _ in range(5)] == 5 * [b"done compute 1ms\n"]
            assert not has_bytes(hog), "answered, but only after the one who computes"
            assert hog.recv(100) == b"done compute 2s\n"


@every_way(but=one_at_a_time)
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_the_next_clients_are_served_behind_silent_ones(tmp_path, way, kind):
    with Superd(tmp_path, {"echo": way.service(listen=[kind], workers=5)}) as program, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(program.connect("echo")) for _ in range(4)]
        program.wait_for_level("echo", 4)
        for _ in range(3):
            with program.connect("echo") as client:
                assert is_echoed(client)
        assert all(is_echoed(client) for client in silent), "nor are they forgotten"


@pytest.mark.parametrize("first", [b"", HOG], ids=["silent", "computing"])
def test_an_iterative_server_serves_the_next_one_after_it(tmp_path, first):
    with Superd(tmp_path, {"slow": {"design": "iterative"}}) as program:
        with program.connect("slow") as before, program.connect("slow") as after:
            before.sendall(first)
            after.sendall(b"compute 1ms\n")
            program.wait_for_level("slow", 1)
            assert program.counters("slow")["accepted"] == 1
            before.close()
            assert recv_exactly(after, 17) == b"done compute 1ms\n"
            program.wait_for_level("slow", 1)


CROWD, LEVEL, SHARE = 100, 10, 5


def connect_all(program, stack):
    clients = []
    for _ in range(CROWD):
        # Who is refused may notice it at any of these.
        with contextlib.suppress(ConnectionError):
            clients.append(stack.enter_context(program.connect("echo")))
            clients[-1].sendall(b"me")
    return clients


@every_way(but=one_at_a_time)
def test_the_level_is_exact_under_a_hundred_clients(tmp_path, way):
    echo = way.service(level=LEVEL, per_client=LEVEL, workers=LEVEL + 3)
    with Superd(tmp_path, {"echo": echo}) as program, contextlib.ExitStack() as stack:
        waiting = connect_all(program, stack)
        while waiting:
            seats = min(LEVEL, len(waiting))
            poll_until(lambda: sum(map(has_bytes, waiting)) == seats, what="all seats are taken")
            seated = [client for client in waiting if has_bytes(client)]
            assert len(seated) == seats, "more than the level were answered"
            for client in seated:
                assert recv_exactly(client, 2) == b"me"
                waiting.remove(client)
            for client in seated:
                client.close()
        counters = program.wait_for("echo", served=CROWD)
        assert counters["peak"] == LEVEL
        assert counters["accepted"] == counters["served"] == CROWD
        assert counters["refused_level"] == counters["refused_client"] == 0


@every_way(but=one_at_a_time)
def test_per_client_is_exact_under_a_hundred_clients(tmp_path, way):
    echo = way.service(level=CROWD, per_client=SHARE, workers=SHARE + 3)
    with Superd(tmp_path, {"echo": echo}) as program, contextlib.ExitStack() as stack:
        clients = connect_all(program, stack)
        counters = program.wait_for("echo", accepted=CROWD, refused_client=CROWD - SHARE)
        assert (counters["refused_client"], counters["level"]) == (CROWD - SHARE, SHARE)
        answered = 0
        for client in clients:
            with contextlib.suppress(ConnectionError):
                answered += client.recv(2) == b"me"
        assert answered == SHARE
