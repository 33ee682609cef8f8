"""Peers that vanish, close half, or stop listening (faults 25, 26, 31)."""

import contextlib
import os
import socket

import pytest

from fault_tools import (WAYS, every_way, has_ended, in_own_network, is_echoed, let_pass, needs_namespaces, network_of,
                         run_in, services_of_every_way, stopped)
from harness import SLOWNESS, Superd, converse_both_ways, recv_all, recv_exactly

# Everything from this port of a client's is lost from now on, and the client hears nothing any more.
DROP = """
table inet vanished {{
  chain out {{
    type filter hook output priority 0;
    tcp sport {{ {ports} }} drop
    tcp dport {{ {ports} }} drop
  }}
}}
"""


class Vanished:
    """For every way a client that was silent when it vanished, and one that had an answer on its way."""

    def __init__(self, superd, sockets):
        self.superd = superd
        with network_of(superd.pid):
            self.silent = {way: sockets.enter_context(superd.connect("silent-" + way.name)) for way in WAYS}
            self.busy = {way: sockets.enter_context(superd.connect("busy-" + way.name)) for way in WAYS}
        for clients in (self.silent, self.busy):
            assert all(is_echoed(client) for client in clients.values())
        ports = [client.getsockname()[1] for client in [*self.silent.values(), *self.busy.values()]]
        # The request arrives, its answer does not.
        with stopped(superd):
            for client in self.busy.values():
                client.sendall(b"is anybody there?")
            run_in(superd.pid, "nft", "-f", "-", input=DROP.format(ports=", ".join(map(str, ports))))


@pytest.fixture(scope="module")
def vanished(tmp_path_factory):
    services = {}
    for kind in ("silent", "busy"):
        services.update({f"{kind}-{name}": service for name, service in services_of_every_way(keepalive="1s").items()})
    folder = tmp_path_factory.mktemp("vanished")
    with contextlib.ExitStack() as running:
        superd = running.enter_context(Superd(folder, services, wrapper=in_own_network()))
        yield Vanished(superd, running)


@needs_namespaces
@every_way()
@pytest.mark.parametrize("kind", ["silent", "busy"])
def test_a_client_that_vanished_is_given_up_by_keepalive(vanished, way, kind):
    counters = vanished.superd.wait_for(f"{kind}-{way.name}", reset_by_client=1)
    assert (counters["reset_by_client"], counters["level"]) == (1, 0)
    assert not any(counters[name] for name in counters if name.startswith("timed_out"))


@every_way()
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_client_that_closes_half_gets_its_answer_completely(superd, way, kind):
    program = superd({"echo": way.service(listen=[kind], workers=2)})
    data = os.urandom(1 << 20)
    with program.connect("echo") as client:
        assert converse_both_ways(client, data) == data
    counters = program.wait_for("echo", served=1)
    assert counters["bytes_in"] == counters["bytes_out"] == len(data)


@every_way()
def test_a_client_that_closes_half_at_once_is_answered(superd, way):
    program = superd({"daytime": way.service(handler="daytime", workers=2)})
    with stopped(program):
        client = program.connect("daytime")
        client.shutdown(socket.SHUT_WR)
    with client:
        assert recv_all(client).endswith(b"\r\n")
    assert program.wait_for("daytime", served=1)["served"] == 1


@every_way(but=lambda way: way.serves_one_at_a_time)
def test_after_a_long_stop_who_has_data_waiting_is_served_and_not_timed_out(superd, way):
    idle = 0.4 * SLOWNESS
    number = 40 if way.engine else 8
    program = superd({"echo": way.service(workers=16, level=64, per_client=64, idle=f"{int(idle * 1000)}ms")})
    with contextlib.ExitStack() as sockets:
        clients = [sockets.enter_context(program.connect("echo")) for _ in range(number)]
        silent = sockets.enter_context(program.connect("echo"))
        assert all(is_echoed(client) for client in [*clients, silent])
        with stopped(program):
            for client in clients:
                client.sendall(b"before you slept")
            let_pass(2.5 * idle)
        assert [recv_exactly(client, 16) for client in clients] == [b"before you slept"] * len(clients)
        assert all(is_echoed(client) for client in clients)
        assert has_ended(silent)
        assert program.wait_for("echo", timed_out_idle=1)["timed_out_slow"] == 0


@every_way(but=lambda way: way.serves_one_at_a_time)
def test_after_a_stop_in_the_middle_of_answers_they_come_whole(superd, way):
    program = superd({"echo": way.service(workers=4, idle=f"{int(400 * SLOWNESS)}ms")})
    data = os.urandom(1 << 18)
    with program.connect("echo") as client:
        assert is_echoed(client)
        with stopped(program):
            client.sendall(data)
            let_pass(SLOWNESS)
        assert recv_exactly(client, len(data)) == data
