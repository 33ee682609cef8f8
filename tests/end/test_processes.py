"""Designs that fork: who dies takes nobody with it, and nothing is left behind (faults 9, 12, 16, 58)."""

import contextlib
import os
import signal

import pytest

from fault_tools import Injection, has_ended, is_echoed, is_refused, needs_strace
from harness import ROOMY, Superd, descendants_of, is_alive, poll_until, recv_all, tables

FORKING = [row["name"] for row in tables()["designs"] if row["forks"]]
HEAD = {"processes": "echo:dispatcher", "preforked": "echo:supervisor"}
PATIENT = pytest.mark.parametrize("design", FORKING)
WORKERS = 3


def sockets_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        sockets = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        return sum(link.startswith("socket:") for link in sockets)
    return 0


def echo(design, **settings):
    return {"echo": {"design": design, **({"workers": WORKERS} if design == "preforked" else {}), **settings}}


def family(superd):
    return [pid for pid in superd.processes() if pid != superd.pid]


def wait_until_gone(processes):
    poll_until(lambda: not any(map(is_alive, processes)), what="processes end")


def connection_processes(superd, design):
    wanted = 2 if design == "preforked" else 1
    return {pid for pid in superd.processes_called("echo") if sockets_of(pid) >= wanted}


@PATIENT
def test_a_worker_that_is_killed_costs_its_conversation_alone(tmp_path, design):
    with Superd(tmp_path, echo(design)) as superd:
        with superd.connect("echo") as other:
            assert is_echoed(other)
            theirs = connection_processes(superd, design)
            for number in range(1, 4):
                with superd.connect("echo") as client:
                    assert is_echoed(client)
                    victim, = connection_processes(superd, design) - theirs
                    os.kill(victim, signal.SIGKILL)
                    assert has_ended(client)
                assert superd.wait_for("echo", crashed=number)["crashed"] == number
                assert is_echoed(other)
                superd.wait_for_level("echo", 1)
        crash = superd.events("worker crashed" if design == "preforked" else "conversation crashed")[-1]
        assert crash["why"] == "SIGKILL" and crash["service"] == "echo"
        if design == "preforked":
            poll_until(lambda: len(superd.processes_called("echo")) == WORKERS, what="workers are replaced")
        assert superd.stop() == 0


@PATIENT
def test_what_they_come_from_is_started_anew_on_the_same_sockets(tmp_path, design):
    with Superd(tmp_path, echo(design, listen=["tcp", "udp"])) as superd:
        for _ in range(3):
            with superd.connect("echo") as client:
                assert is_echoed(client)
                # A worker is called as the process that it comes from until it has its own name.
                poll_until(lambda: len(superd.processes_called(HEAD[design])) == 1, what="workers have their names")
                head, = superd.processes_called(HEAD[design])
                children = descendants_of(head)
                os.kill(head, signal.SIGKILL)
                assert has_ended(client)
                # One that is about to die may have accepted somebody, who dies with it.
                wait_until_gone(children)
            # Whoever comes meanwhile waits in the backlog.
            with superd.connect("echo") as client:
                assert is_echoed(client)
            assert superd.ask("echo", b"hello") == b"hello"
            assert not is_alive(head)
            superd.wait_for_level("echo", 0)
        assert len(superd.events(HEAD[design].partition(":")[2] + " died", why="SIGKILL")) == 3
        assert superd.stop() == 0


@PATIENT
def test_a_host_without_its_nursery_is_replaced(tmp_path, design):
    with Superd(tmp_path, echo(design)) as superd, superd.connect("echo") as client:
        assert is_echoed(client)
        host = superd.host
        processes = [host, *descendants_of(host)]
        nursery, = superd.processes_called("superd:nursery")
        os.kill(nursery, signal.SIGKILL)
        assert has_ended(client)
        wait_until_gone(processes)
        superd.wait_for_event("a host was replaced")
        with superd.connect("echo") as another:
            assert is_echoed(another)
        superd.wait_for_level("echo", 0)


@PATIENT
def test_nothing_is_left_of_a_program_that_is_killed(tmp_path, design):
    with Superd(tmp_path, echo(design, listen=["tcp", "udp", "unix"])) as superd, superd.connect("echo") as client:
        assert is_echoed(client)
        processes = family(superd)
        assert len(processes) >= 3
        superd._kill()
        assert has_ended(client)
        wait_until_gone(processes)


@PATIENT
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_to_all_processes_at_once_drains(tmp_path, design, number):
    # As Ctrl-C in a terminal, and a service manager, send it.
    with Superd(tmp_path, echo(design)) as superd, superd.connect("echo") as client:
        assert is_echoed(client)
        for pid in superd.processes():
            # Those without a client end as soon as superd itself has been told.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        superd.wait_for_event("draining")
        assert is_echoed(client)
        client.shutdown(1)
        assert recv_all(client) == b""
        assert superd.wait() == 0
        assert superd.counters("echo")["cut"] == 0


@PATIENT
def test_level_and_share_are_exact_under_many_clients(tmp_path, design):
    service = echo(design, level=10, per_client=10)
    service["echo"].update({"workers": 20} if design == "preforked" else {})
    with Superd(tmp_path, service) as superd, contextlib.ExitStack() as sockets:
        clients = [sockets.enter_context(superd.connect("echo")) for _ in range(100)]
        for client in clients:
            client.sendall(b"x")
        left = set(clients)
        while left:
            served = [client for client in left if answers(client)]
            assert len(served) <= 10
            for client in served:
                client.close()
            left -= set(served)
        counters = superd.wait_for("echo", served=100)
        assert counters["peak"] <= 10 and counters["accepted"] == 100
        superd.wait_for_level("echo", 0)


def answers(client):
    client.settimeout(0.05)
    try:
        return client.recv(1) == b"x"
    except TimeoutError:
        return False


@PATIENT
def test_who_is_over_the_share_is_refused(tmp_path, design):
    with Superd(tmp_path, echo(design, level=8, per_client=2)) as superd:
        with superd.connect("echo") as one, superd.connect("echo") as other:
            assert is_echoed(one) and is_echoed(other)
            assert is_refused(superd, "echo")
            assert superd.counters("echo")["refused_client"] == 1
        superd.wait_for_level("echo", 0)
        with superd.connect("echo") as client:
            assert is_echoed(client)


@needs_strace
def test_without_processes_a_client_waits_and_is_served_later(tmp_path):
    with Superd(tmp_path, echo("processes", listen=["tcp", "udp"], **ROOMY)) as superd, superd.connect("echo") as earlier:
        assert is_echoed(earlier)
        with Injection(superd, "clone,clone3", "EAGAIN") as injection:
            with superd.connect("echo") as client:
                assert is_echoed(client)
            injection.wait_for_hit()
        assert is_echoed(earlier)
        assert superd.ask("echo", b"a datagram's process") == b"a datagram's process"
        assert superd.wait_for("echo", served=2)["out_of_threads"] >= 1


@needs_strace
def test_a_worker_that_cannot_be_replaced_is_replaced_later(tmp_path):
    with Superd(tmp_path, echo("preforked")) as superd:
        with Injection(superd, "clone,clone3", "EAGAIN") as injection:
            os.kill(superd.processes_called("echo")[0], signal.SIGKILL)
            injection.wait_for_hit()
        poll_until(lambda: len(superd.processes_called("echo")) == WORKERS, what="workers are replaced")
        assert superd.counters("echo")["crashed"] == 1
