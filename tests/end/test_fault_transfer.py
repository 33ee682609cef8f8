"""Receiving and sending that fails: the client is served later or counted as lost, the others notice nothing (faults 6,
19, 48, 56). The ring's transfers are no system calls of their own; its answers to the same errors are unit tests."""

import contextlib

import pytest

from fault_tools import Injection, by_ring, every_way, has_ended, is_echoed, let_pass, needs_strace
from harness import has_bytes, recv_exactly

PASSING = {"recvfrom": ("ENOMEM", "ENOBUFS", "EINTR"), "sendto": ("ENOBUFS", "ENOMEM", "EINTR")}
LETHAL = {"recvfrom": ("ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH"), "sendto": ("EPIPE", "ECONNRESET", "EHOSTUNREACH")}

# A thread that waits for several listeners, or for datagrams in batches, makes the same calls.
RECEIVE_TROUBLES = {"ENOMEM": "out_of_memory", "ENOBUFS": "out_of_memory", "EPERM": None, "ECONNREFUSED": None,
                    "EINTR": None}
SEND_TROUBLES = ("ENOMEM", "ENOBUFS", "EPERM", "ECONNREFUSED", "EAGAIN", "ENETUNREACH", "EINVAL")


@needs_strace
@every_way(but=by_ring)
@pytest.mark.parametrize("call", PASSING)
def test_a_transfer_that_fails_for_a_while_loses_no_byte(superd, way, call):
    program = superd({"echo": way.service(workers=2)})
    for error in PASSING[call]:
        with program.connect("echo") as client:
            assert is_echoed(client)
            with Injection(program, call, error) as injection:
                assert is_echoed(client, bytes(range(256)) * 64), error
                injection.wait_for_hit()
            assert is_echoed(client)
    served = len(PASSING[call])
    assert program.wait_for("echo", served=served)["served"] == served


@needs_strace
@every_way(but=by_ring)
@pytest.mark.parametrize("call", LETHAL)
def test_a_transfer_that_fails_for_good_ends_that_conversation_alone(superd, way, call):
    program = superd({"echo": way.service(workers=3)})
    # Threads that block in a receive are interrupted in order to be traced, and then fail all at once.
    alone = way.serves_one_at_a_time or (call == "recvfrom" and not way.engine)
    with contextlib.ExitStack() as sockets:
        others = [] if alone else [sockets.enter_context(program.connect("echo"))]
        assert all(is_echoed(other) for other in others)
        for count, error in enumerate(LETHAL[call], 1):
            client = sockets.enter_context(program.connect("echo"))
            assert is_echoed(client)
            with Injection(program, call, error, times=1) as injection:
                with contextlib.suppress(ConnectionError):
                    client.sendall(b"to be lost")
                injection.wait_for_hit()
                assert has_ended(client)
            assert program.wait_for("echo", reset_by_client=count)["reset_by_client"] == count
            assert all(is_echoed(other) for other in others)


@needs_strace
@every_way()
def test_datagrams_that_cannot_be_received_yet_are_answered_later(superd, way):
    program = superd({"echo": way.service(listen=["udp"], workers=2)})
    answers = 0
    for error, counter in RECEIVE_TROUBLES.items():
        before = program.counters("echo")
        with Injection(program, "recvmmsg", error) as injection:
            assert program.ask("echo", error.encode()) == error.encode()
            injection.wait_for_hit()
        answers += 1
        program.wait_for("echo", answered=answers, **({counter: before[counter] + 1} if counter else {}))
        assert program.ask("echo", b"and on") == b"and on"
        answers += 1
    assert program.wait_for("echo", answered=answers)["answered"] == answers


@needs_strace
@every_way()
def test_an_answer_that_the_kernel_refuses_is_counted_and_the_next_one_leaves(superd, way):
    program = superd({"echo": way.service(listen=["udp"], workers=1)})
    with program.datagrams("echo") as client:
        for count, error in enumerate(SEND_TROUBLES, 1):
            with Injection(program, "sendmmsg", error, times=1) as injection:
                client.send(b"lost: " + error.encode())
                injection.wait_for_hit()
            client.send(error.encode())
            assert client.recv(100) == error.encode()
            counters = program.wait_for("echo", failed_answer=count, answered=count)
            assert (counters["failed_answer"], counters["answered"]) == (count, count), error
        assert not has_bytes(client)


@needs_strace
@every_way()
def test_an_interrupted_answer_is_sent_again(superd, way):
    program = superd({"echo": way.service(listen=["udp"], workers=1)})
    with Injection(program, "sendmmsg", "EINTR") as injection:
        assert program.ask("echo", b"hello") == b"hello"
        injection.wait_for_hit()
    assert program.counters("echo")["failed_answer"] == 0


@needs_strace
@every_way(but=lambda way: way.engine != "epoll")
@pytest.mark.parametrize("error", ["ENOMEM", "ENOSPC"])
def test_a_client_that_cannot_be_registered_yet_is_asked_after(superd, way, error):
    program = superd({"echo": way.service()})
    with Injection(program, "epoll_ctl", error) as injection:
        with program.connect("echo") as client:
            injection.wait_for_hit()
            assert is_echoed(client)
            assert is_echoed(client, b"and once more")
    assert program.wait_for("echo", served=1)["reset_by_client"] == 0


@needs_strace
@every_way(but=lambda way: way.engine != "epoll")
def test_a_client_that_can_never_be_registered_is_served_all_the_same_without_spinning(superd, way):
    program = superd({"echo": way.service()})
    with Injection(program, "epoll_ctl", "ENOMEM", times=Injection.ALWAYS) as injection:
        with program.connect("echo") as client:
            assert is_echoed(client)
            begun = injection.hits()
            let_pass(0.5)
            assert injection.hits() - begun < 100
            assert is_echoed(client)


@every_way()
def test_a_client_that_leaves_before_its_answer_ends_nothing_but_its_own_conversation(superd, way):
    program = superd({"chargen": way.service(handler="chargen", workers=2)})
    clients = 30
    for _ in range(clients):
        with program.connect("chargen") as client:
            assert recv_exactly(client, 1000)
    program.wait_for("chargen", reset_by_client=clients)
    counters = program.wait_for_level("chargen", 0)
    assert (counters["reset_by_client"], counters["failed"]) == (clients, 0)
