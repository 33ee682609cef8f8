"""Out of descriptors: superd waits, counts, keeps whom it has, and goes on when it can (faults 1, 22, 60)."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

from fault_tools import (WAYS, cpu_share, descriptors_below, every_way, first_free_descriptor, forks, is_echoed,
                         one_at_a_time)
from harness import PATIENCE, PROGRAM, connect, free_port, has_bytes, poll_until, recv_exactly

INSIDE, PASSING, WAITING = 4, 8, 6

# A call of accept(2) that blocks has its descriptor already, so that one client more gets in.
HELD_BY_A_BLOCKED_CALL = 1


# One client holds a descriptor of its process at a time; the processes that others have are their own.
def never_short(way):
    return one_at_a_time(way) or forks(way)


class Crowd:
    """More echo clients than there are descriptors: those who are in, and those who wait."""

    def __init__(self, superd, sockets, spare):
        self.superd = superd
        # Once beforehand: the undefined-behaviour sanitizer opens a pipe when it meets a class for the first time.
        assert superd.ask("echo", b"first") == b"first"
        limit = first_free_descriptor(superd) + spare
        self.inside = [sockets.enter_context(superd.connect("echo")) for _ in range(INSIDE)]
        passing = [sockets.enter_context(superd.connect("echo")) for _ in range(PASSING)]
        # With them every worker has a client, and none a call that blocks.
        assert all(is_echoed(client) for client in self.inside + passing)
        self.restore = sockets.enter_context(descriptors_below(superd, limit))
        for client in passing:
            client.close()
        superd.wait_for_level("echo", INSIDE)
        self.outside = [sockets.enter_context(superd.connect("echo")) for _ in range(WAITING)]
        for client in self.outside:
            client.sendall(b"let me in")
        superd.wait_for("echo", out_of_descriptors=1)

    def is_everybody_served(self):
        return all(recv_exactly(client, 9) == b"let me in" for client in self.outside)


# Limits of another user's process may be changed by CAP_SYS_RESOURCE alone, which root in a container lacks.
OF_OURS = {"host_user": "root"} if os.geteuid() == 0 else {}


@pytest.fixture
def crowd(superd):
    with contextlib.ExitStack() as sockets:
        def gather(way, *, kind="tcp", spare=0):
            service = way.service(listen=[kind, "udp"], workers=INSIDE + PASSING, level=64, per_client=64)
            return Crowd(superd({"echo": service}, settings=OF_OURS), sockets, spare)

        yield gather


@every_way(but=never_short)
def test_out_of_descriptors_nobody_who_is_in_notices(crowd, way):
    here = crowd(way)
    assert all(is_echoed(client) for client in here.inside)
    assert here.superd.ask("echo", b"datagrams need none") == b"datagrams need none"
    assert sum(has_bytes(client) for client in here.outside) <= HELD_BY_A_BLOCKED_CALL
    assert INSIDE <= here.superd.counters("echo")["level"] <= INSIDE + HELD_BY_A_BLOCKED_CALL


@every_way(but=never_short)
def test_out_of_descriptors_superd_does_not_spin(crowd, way):
    here = crowd(way)
    assert cpu_share(here.superd, 0.5) < 0.2
    assert here.superd.process.poll() is None


@every_way(but=never_short)
def test_who_waited_for_a_descriptor_is_served_when_the_limit_is_raised(crowd, way):
    here = crowd(way)
    here.restore()
    assert here.is_everybody_served()
    assert all(is_echoed(client) for client in here.inside)
    assert here.superd.counters("echo")["accepted"] == INSIDE + PASSING + WAITING


@every_way(but=never_short)
def test_who_waited_for_a_descriptor_is_served_when_others_leave(crowd, way):
    here = crowd(way, spare=2)
    for client in here.inside:
        client.close()
    for client in here.outside:
        assert recv_exactly(client, 9) == b"let me in"
        client.close()
    everybody = INSIDE + PASSING + WAITING
    assert here.superd.wait_for("echo", served=everybody)["accepted"] == everybody


@every_way(but=lambda way: never_short(way) or way.engine not in (None, "epoll"))
def test_a_unix_listener_waits_for_descriptors_too(crowd, way):
    here = crowd(way, kind="unix")
    assert all(is_echoed(client) for client in here.inside)
    here.restore()
    assert here.is_everybody_served()


def test_a_shortage_is_told_once_and_not_once_a_try(crowd):
    # One door; where there are several loops, each tells of its own.
    here = crowd(next(way for way in WAYS if way.name == "event-epoll"))
    here.superd.wait_for("echo", out_of_descriptors=8)
    assert len(here.superd.events("listener pauses")) == 1


def test_a_hard_limit_below_what_the_levels_need_is_warned_about_and_served_with(superd, needs):
    wrapper = [needs("prlimit"), "--nofile=100:100"]
    program = superd({"echo": {"listen": ["tcp"], "level": 1000, "per_client": 1000}}, wrapper=wrapper)
    warning = program.events("fewer descriptors than all levels need", severity="warning")
    assert len(warning) == 1 and warning[0]["allowed"] == 100 and warning[0]["needed"] >= 1000
    with program.connect("echo") as client:
        assert is_echoed(client)


@every_way()
def test_too_few_descriptors_to_begin_with_end_in_one_clear_line(tmp_path, way, needs):
    config = tmp_path / "superd.toml"
    settings = "\n".join(f'{key} = "{value}"' for key, value in way.settings.items())
    services = "\n".join(f'[service.{name}]\nhandler = "echo"\nlisten = ["tcp/127.0.0.1:{free_port()}"]\n{settings}'
                         for name in ("one", "two", "three"))
    config.write_text(services + "\n")
    ended = subprocess.run([needs("prlimit"), "--nofile=5:5", PROGRAM, "--config", str(config)], capture_output=True,
                           text=True, timeout=PATIENCE)
    assert ended.returncode == 111, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if "fewer descriptors" not in line]
    assert lines and all("too many open files" in line.lower() for line in lines), ended.stderr


def open_without(descriptors, config):
    def close_them():
        for fd in descriptors:
            os.close(fd)

    return subprocess.Popen([PROGRAM, "--config", str(config)], preexec_fn=close_them)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_no_client_gets_a_standard_descriptor_that_was_closed(tmp_path, closed):
    port = free_port()
    config = tmp_path / "superd.toml"
    config.write_text(f'[service.echo]\nlisten = ["tcp/127.0.0.1:{port}"]\n')
    program = open_without(closed, config)
    try:
        with poll_until(lambda: try_to_connect(port), what="superd listens") as client:
            assert is_echoed(client)
            for fd in closed:
                assert os.readlink(f"/proc/{program.pid}/fd/{fd}") == "/dev/null"
    finally:
        program.send_signal(signal.SIGTERM)
        assert program.wait(PATIENCE) == 0


def try_to_connect(port):
    try:
        return connect(socket.AF_INET, ("127.0.0.1", port))
    except ConnectionRefusedError:
        return None
