"""What accept(2) may say, and threads that cannot be made: the next client is served, and it is counted (faults 1 to 8)."""

import contextlib
import os

import pytest

from fault_tools import Injection, every_way, has_ended, is_echoed, let_pass, needs_strace, stopped
from harness import IS_SANITIZED, reset

COUNTER_OF = {
    "EMFILE": "out_of_descriptors",
    "ENFILE": "out_of_descriptors",
    "ENOMEM": "out_of_memory",
    "ENOBUFS": "out_of_memory",
    "ECONNABORTED": "failed_accept",
    "EPROTO": "failed_accept",
    "EPERM": "failed_accept",
    "ENETDOWN": "failed_accept",
    "EHOSTUNREACH": "failed_accept",
    "EINTR": None,
    "EAGAIN": None,
}


def difference(after, before):
    return {name: after[name] - before[name] for name in after
            if name not in ("level", "peak") and after[name] != before[name]}


@needs_strace
@every_way()
def test_whatever_accept_says_the_next_client_is_served_and_it_is_counted(superd, way):
    program = superd({"echo": way.service(workers=2)})
    for error, counter in COUNTER_OF.items():
        before = program.counters("echo")
        with Injection(program, "accept4", error) as injection:
            with program.connect("echo") as client:
                assert is_echoed(client)
            injection.wait_for_hit()
            after = program.wait_for("echo", served=before["served"] + 1)
        counted = difference(after, before)
        troubles = {name for name in counted if name.startswith(("out_of_", "failed_"))}
        assert troubles == ({counter} if counter else set()), f"{error}: {counted}"
        assert counted["accepted"] == 1
        with program.connect("echo") as client:
            assert is_echoed(client)


@needs_strace
@every_way()
@pytest.mark.parametrize("error", ["EMFILE", "ENOMEM"])
def test_a_shortage_at_accept_is_waited_out_with_growing_pauses(superd, way, error):
    program = superd({"echo": way.service(workers=1)})
    with Injection(program, "accept4", error, times=Injection.ALWAYS) as injection:
        with program.connect("echo") as client:
            client.sendall(b"hello")
            injection.wait_for_hit()
            let_pass(0.5)
            # From 10 ms doubled to 100 ms: eight or so. A loop that does not wait tries thousands of times.
            assert injection.hits() < 30


@needs_strace
@every_way(but=lambda way: way.row["name"] != "threads")
@pytest.mark.parametrize("calls", ["clone,clone3", "mmap"])
def test_without_threads_a_client_waits_and_is_served_later(superd, way, calls):
    if calls == "mmap" and IS_SANITIZED:
        pytest.skip("a sanitizer ends the program when it gets no memory itself")
    program = superd({"echo": way.service(listen=["tcp"]), "again": way.service(listen=["udp"])})
    with program.connect("echo") as earlier:
        assert is_echoed(earlier)
        error = "EAGAIN" if calls.startswith("clone") else "ENOMEM"
        with Injection(program, calls, error) as injection:
            with program.connect("echo") as client:
                assert is_echoed(client)
            assert program.ask("again", b"a datagram's thread") == b"a datagram's thread"
            injection.wait_for_hit()
        assert is_echoed(earlier)
    assert program.wait_for("echo", served=2)["out_of_threads"] >= 1
    assert program.counters("again")["answered"] == 1


# What waits for all clients at once may fail as well; poll(2) and select(2) for want of memory, the ring as it is full.
WAITING_CALLS = {"select": ("select,pselect6", "ENOMEM"), "poll": ("poll", "ENOMEM"), "epoll": ("epoll_wait,epoll_pwait2", "EINTR"),
                 "io_uring": ("io_uring_enter", "EAGAIN")}


@needs_strace
@every_way(but=lambda way: way.engine not in WAITING_CALLS)
def test_an_engine_that_cannot_wait_goes_on_later(superd, way):
    calls, error = WAITING_CALLS[way.engine]
    program = superd({"echo": way.service()})
    with program.connect("echo") as client:
        assert is_echoed(client)
        with Injection(program, calls, error, times=5) as injection:
            assert is_echoed(client)
            injection.wait_for_hit()
        assert is_echoed(client)


@needs_strace
@every_way(but=lambda way: way.engine not in ("select", "poll", "io_uring"))
def test_an_engine_without_memory_to_wait_with_does_not_spin(superd, way):
    calls, error = WAITING_CALLS[way.engine]
    program = superd({"echo": way.service()})
    with program.connect("echo") as client:
        assert is_echoed(client)
        with Injection(program, calls, error, times=Injection.ALWAYS) as injection:
            client.sendall(b"x")
            injection.wait_for_hit()
            begun = injection.hits()
            let_pass(0.5)
            # As with any other shortage: tried again every 10 ms or more, not as fast as it can. Each loop does so.
            loops = len(os.sched_getaffinity(0)) if way.row["name"] == "adaptive" else 1
            # So does the main thread of each process of superd.
            assert injection.hits() - begun < 110 * (loops + len(program.processes()))


@every_way()
def test_who_was_reset_in_the_backlog_costs_nobody_else_anything(superd, way):
    program = superd({"echo": way.service(workers=2), "daytime": way.service(handler="daytime", workers=2)})
    gone = 10
    with stopped(program):
        for service in ("echo", "daytime"):
            for number in range(gone):
                client = program.connect(service)
                if number % 2:
                    client.sendall(b"hello, and good bye")
                reset(client)
    with program.connect("echo") as client:
        assert is_echoed(client)
    with program.connect("daytime") as client:
        assert client.recv(100)
    # Linux lets them be accepted; the first call on them tells (accept(2), "Error handling").
    echo = program.wait_for("echo", served=1, reset_by_client=gone)
    assert (echo["served"], echo["reset_by_client"], echo["accepted"]) == (1, gone, gone + 1)
    daytime = program.wait_for("daytime", accepted=gone + 1)
    assert daytime["failed"] == 0


@every_way(but=lambda way: not (way.row["uses_loops"] or way.row["uses_workers"]))
def test_who_finds_nobody_at_accept_because_another_was_quicker_goes_back_to_wait(superd, way):
    program = superd({"daytime": way.service(handler="daytime", workers=4, **({"loops": 3} if way.engine else {}))})
    clients = 200
    for _ in range(clients):
        with program.connect("daytime") as client:
            assert client.recv(100).endswith(b"\r\n")
    counters = program.wait_for("daytime", served=clients)
    assert counters["accepted"] == counters["served"] == clients
    assert not any(counters[name] for name in ("failed_accept", "out_of_descriptors", "out_of_memory"))


@every_way()
def test_a_burst_of_clients_waits_in_the_backlog_and_is_served(superd, way):
    program = superd({"daytime": way.service(handler="daytime", workers=4, level=64, per_client=64)})
    with contextlib.ExitStack() as sockets:
        with stopped(program):
            clients = [sockets.enter_context(program.connect("daytime")) for _ in range(500)]
        assert all(client.recv(100).endswith(b"\r\n") and has_ended(client) for client in clients)
    counters = program.wait_for("daytime", served=len(clients))
    assert counters["accepted"] == len(clients) and counters["peak"] <= 64
