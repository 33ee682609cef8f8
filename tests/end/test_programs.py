"""Programs instead of handlers: what they are given, how they end, and what that costs others (faults 9, 14 to 16)."""

import contextlib
import os
import signal
import socket
import sys

import pytest

from harness import PATIENCE, Superd, descendants_of, is_alive, poll_until, recv_all, recv_exactly

SHELL = "/bin/sh"


def shell(script, **settings):
    return {"it": {"listen": ["tcp"], "program": [SHELL, "-c", script], **settings}}


def python(script, **settings):
    return {"it": {"listen": ["udp"], "program": [sys.executable, "-c", script], "wait": True, **settings}}


@pytest.mark.parametrize("listener", ["tcp", "tcp6", "unix"])
def test_a_program_has_the_connection_as_its_input_and_output(tmp_path, listener):
    with Superd(tmp_path, {"it": {"listen": [listener], "program": ["/bin/cat"]}}) as superd:
        with superd.connect("it") as client:
            for size in (1, 1000, 100_000):
                client.sendall(b"x" * size)
                assert recv_exactly(client, size) == b"x" * size
            client.shutdown(socket.SHUT_WR)
            assert recv_all(client) == b""
        counters = superd.wait_for("it", served=1)
        assert counters["accepted"] == 1 and counters["level"] == 0


def test_a_program_is_told_of_its_client_as_ucspi_has_it(tmp_path):
    with Superd(tmp_path, {"it": {"listen": ["tcp", "unix"], "program": ["/usr/bin/env"],
                                  "environment": ["A=b"]}}) as superd:
        with superd.connect("it") as client:
            here, there = client.getsockname(), client.getpeername()
            said = dict(line.split("=", 1) for line in recv_all(client).decode().splitlines())
        assert said == {"A": "b", "PROTO": "TCP", "TCPLOCALIP": there[0], "TCPLOCALPORT": str(there[1]),
                        "TCPREMOTEIP": here[0], "TCPREMOTEPORT": str(here[1]), "REMOTE_HOST": here[0],
                        "REMOTE_ADDR": here[0], "REMOTE_PORT": str(here[1]), "SERVICE": "it"}
        with superd.connect("it", "unix") as client:
            path = client.getpeername()
            said = dict(line.split("=", 1) for line in recv_all(client).decode().splitlines())
        user, group = str(os.geteuid()), str(os.getegid())
        assert said == {"A": "b", "PROTO": "UNIX", "SERVICE": "it", "UNIXLOCALPATH": path,
                        "UNIXREMOTEPID": str(os.getpid()), "UNIXREMOTEEUID": user, "UNIXREMOTEEGID": group,
                        "IPCREMOTEEUID": user, "IPCREMOTEEGID": group}


def test_what_a_program_says_on_stderr_is_logged_line_by_line(tmp_path):
    long = "x" * 1500
    with Superd(tmp_path, shell(f"echo one >&2; echo {long} >&2; printf 'tw\\033o\\n' >&2")) as superd:
        with superd.connect("it") as client:
            assert recv_all(client) == b""
        poll_until(lambda: len(superd.events("program says")) >= 4, what="all is logged")
        assert [event["line"] for event in superd.events("program says")] == ["one", long[:1000], long[1000:], "tw\\x1bo"]


@pytest.mark.parametrize("where, seen", [("client", b"word\n"), ("nowhere", b"")])
def test_stderr_goes_where_it_shall(tmp_path, where, seen):
    with Superd(tmp_path, shell("echo word >&2", stderr=where)) as superd:
        with superd.connect("it") as client:
            assert recv_all(client) == seen
        superd.wait_for("it", served=1)
        assert not superd.events("program says")


@pytest.mark.parametrize("script, counter", [("exit 0", "served"), ("exit 3", "failed"), ("kill -SEGV $$", "crashed")])
def test_how_a_program_ends_is_counted(tmp_path, script, counter):
    with Superd(tmp_path, shell(script, log_conversations="all")) as superd:
        for number in (1, 2):
            with superd.connect("it") as client:
                assert recv_all(client) == b""
            assert superd.wait_for("it", **{counter: number})["level"] == 0
        ended = superd.events("program ended")[-1]
        assert ended["end"] == {"served": "exit code 0", "failed": "exit code 3", "crashed": "SIGSEGV"}[counter]
        assert ended["most_kb"] > 0 and ended["cpu_ms"] >= 0 and ended["us"] >= 0


def programs_of(superd, service):
    """What is told of the service's programs: the sums, and one line for each that runs."""
    before = len(superd.events("log"))
    superd.send_signal(signal.SIGUSR2)
    # The last line of what is shown.
    poll_until(lambda: len(superd.events("log")) > before, what="programs are shown")
    sums = superd.events("programs", service=service)[-1]
    return sums, superd.events("program", service=service)[-sums["running"]:] if sums["running"] else []


def test_what_programs_took_and_which_of_them_run_is_told(tmp_path):
    hungry = "import os; room = bytearray(60 << 20); room[::4096] = b'x' * len(room[::4096])\n" \
             "while os.times().user < 0.1: pass\n"
    programs = {"hungry": [sys.executable, "-c", hungry], "bad": [SHELL, "-c", "exit 3"],
                "killed": [SHELL, "-c", "kill -KILL $$"], "long": [SHELL, "-c", "echo begun; exec sleep 1000"]}
    services = {name: {"listen": ["tcp"], "program": words} for name, words in programs.items()}
    services["echo"] = {"listen": ["tcp"]}
    with Superd(tmp_path, services) as superd, contextlib.ExitStack() as stack:
        for name in ("hungry", "hungry", "bad", "killed"):
            with superd.connect(name) as client, contextlib.suppress(ConnectionError):
                recv_all(client)
        clients = [stack.enter_context(superd.connect("long", source=(f"127.0.0.{10 + i}", 0))) for i in range(2)]
        assert [recv_exactly(client, 6) for client in clients] == [b"begun\n"] * 2
        superd.wait_for("hungry", served=2)
        superd.wait_for("bad", failed=1)
        superd.wait_for("killed", crashed=1)

        sums, running = programs_of(superd, "hungry")
        assert (sums["running"], sums["well"], sums["badly"], sums["by_signal"], running) == (0, 2, 0, 0, [])
        assert sums["user_ms"] >= 200 and sums["most_kb"] >= 60 << 10
        assert programs_of(superd, "bad")[0]["badly"] == 1
        assert programs_of(superd, "killed")[0]["by_signal"] == 1
        sums, running = programs_of(superd, "long")
        assert sums["running"] == 2 and sums["well"] == 0
        assert {line["process"] for line in running} == set(superd.processes_called("sleep"))
        assert [line["client"] for line in running] == ["127.0.0.10", "127.0.0.11"]
        assert all(line["for_ms"] >= 0 for line in running)

        for client in clients:
            client.close()
        for pid in superd.processes_called("sleep"):
            os.kill(pid, signal.SIGTERM)
        superd.wait_for("long", crashed=2)
        sums, running = programs_of(superd, "long")
        assert (sums["running"], sums["by_signal"], running) == (0, 2, [])
        superd.counters("echo")
        assert not superd.events("programs", service="echo"), "no program has to do with it"


def test_rows_of_programs_go_with_the_process_that_had_them(tmp_path):
    with Superd(tmp_path, shell("echo begun; exec sleep 1000")) as superd, superd.connect("it") as client:
        assert recv_exactly(client, 6) == b"begun\n"
        programs = superd.processes_called("sleep")
        try:
            os.kill(superd.processes_called("it:dispatcher")[0], signal.SIGKILL)
            superd.wait_for_event("dispatcher died")
            with superd.connect("it") as other:
                assert recv_exactly(other, 6) == b"begun\n"
                sums, running = programs_of(superd, "it")
                assert sums["running"] == 1 and running[0]["process"] not in programs
        finally:
            for pid in programs:
                os.kill(pid, signal.SIGKILL)


def test_a_program_that_is_not_there_costs_its_clients_alone(tmp_path):
    services = shell("") | {"echo": {"listen": ["tcp"]}}
    services["it"]["program"] = ["/bin/nonesuch"]
    with Superd(tmp_path, services) as superd:
        for number in range(1, 4):
            with superd.connect("it") as client:
                assert recv_all(client) == b""
            assert superd.wait_for("it", failed=number)["level"] == 0
        assert "no such file" in superd.events("program not started")[0]["why"]
        with superd.connect("echo") as client:
            client.sendall(b"word")
            assert recv_exactly(client, 4) == b"word"


def test_the_level_holds_for_programs(tmp_path):
    with Superd(tmp_path, {"it": {"listen": ["tcp"], "program": ["/bin/cat"], "level": 2, "per_client": 2}}) as superd:
        with superd.connect("it") as first, superd.connect("it") as second, superd.connect("it") as third:
            for client in (first, second, third):
                client.sendall(b"x")
            assert recv_exactly(first, 1) == recv_exactly(second, 1) == b"x"
            superd.wait_for_level("it", 2)
            first.shutdown(socket.SHUT_WR)
            assert recv_exactly(third, 1) == b"x"
        assert superd.wait_for("it", served=3)["peak"] == 2


def test_total_ends_a_program_that_does_not_want_to(tmp_path):
    with Superd(tmp_path, shell("trap '' TERM; echo ready; while :; do sleep 1; done", total="500ms")) as superd:
        with superd.connect("it") as client:
            assert recv_all(client) == b"ready\n"
        assert superd.wait_for("it", timed_out_total=1, cut=1)["level"] == 0


def test_a_drain_ends_programs_with_all_that_came_from_them(tmp_path):
    with Superd(tmp_path, shell("sleep 1000 & sleep 1001"), drain="200ms") as superd:
        with superd.connect("it") as client:
            poll_until(lambda: len(superd.processes_called("sleep")) == 2, what="the program runs")
            family = descendants_of(superd.pid)
            superd.send_signal(signal.SIGTERM)
            assert superd.wait() == 1
            assert recv_all(client) == b""
        poll_until(lambda: not any(map(is_alive, family)), what="nobody is left")


def test_a_program_that_forks_without_end_meets_its_own_bound(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a program a user of its own")
    services = shell("bomb() { bomb | bomb & }; bomb; wait; echo over", user="games", rlimits=["nproc=30"],
                     stderr="nowhere", total="5s") | {"echo": {"listen": ["tcp"]}}
    with Superd(tmp_path, services) as superd, superd.connect("it"):
        for _ in range(20):
            with superd.connect("echo") as other:
                other.sendall(b"word")
                assert recv_exactly(other, 4) == b"word"


ANSWER_ONE = """
import socket
door = socket.socket(fileno=0)
data, client = door.recvfrom(100)
door.sendto(data.upper(), client)
"""


def ask(superd, question):
    with superd.datagrams("it") as client:
        client.send(question)
        return client.recv(100)


def test_a_waiting_program_has_the_socket_until_it_ends(tmp_path):
    with Superd(tmp_path, python(ANSWER_ONE)) as superd:
        for number, word in enumerate((b"one", b"two", b"three"), start=1):
            assert ask(superd, word) == word.upper()
            superd.wait_for("it", served=number)
            superd.wait_for_level("it", 0)


ACCEPT_SOME = """
import socket
door = socket.socket(fileno=0)
for _ in range(2):
    client, _ = door.accept()
    client.sendall(b"accepted")
    client.close()
"""


def test_a_waiting_program_takes_connections_in_by_itself(tmp_path):
    with Superd(tmp_path, python(ACCEPT_SOME, listen=["tcp"])) as superd:
        for _ in range(4):
            with superd.connect("it") as client:
                assert recv_all(client) == b"accepted"
        superd.wait_for("it", served=2)


def test_a_waiting_program_that_takes_nobody_in_is_started_ever_more_rarely(tmp_path):
    with Superd(tmp_path, {"it": {"listen": ["udp"], "program": ["/bin/true"], "wait": True}}) as superd:
        with superd.datagrams("it") as client:
            client.send(b"anybody?")
            counters = superd.wait_for("it", held_back=3)
            assert counters["served"] >= 40
        told = superd.events("program ends again and again")
        assert len(told) == 1 and told[0]["service"] == "it"


def test_programs_outlive_a_reload_of_everything_else(tmp_path):
    with Superd(tmp_path, {"it": {"listen": ["tcp"], "program": ["/bin/cat"]}}) as superd:
        with superd.connect("it") as client:
            client.sendall(b"before")
            assert recv_exactly(client, 6) == b"before"
            superd.services["it"]["level"] = 3
            superd.config.write_text(superd.config_text())
            superd.send_signal(signal.SIGHUP)
            poll_until(lambda: superd.events("reloaded"), what="it is read again")
            client.sendall(b"after")
            assert recv_exactly(client, 5) == b"after"
            with superd.connect("it") as another:
                another.sendall(b"new")
                assert recv_exactly(another, 3) == b"new"


@pytest.mark.parametrize("program, word", [("git", b"git-upload-pack"), ("rsync", b"@RSYNCD:")])
def test_real_programs_answer_their_clients(tmp_path, needs, program, word):
    path = needs(program)
    words = {"git": [path, "daemon", "--inetd", "--export-all", f"--base-path={tmp_path}"],
             "rsync": [path, "--daemon", f"--config={tmp_path}/rsyncd.conf"]}[program]
    (tmp_path / "rsyncd.conf").write_text("use chroot = no\n")
    with Superd(tmp_path, {"it": {"listen": ["tcp"], "program": words}}) as superd, superd.connect("it") as client:
        client.settimeout(PATIENCE)
        if program == "git":
            request = b"git-upload-pack /nonesuch\0host=localhost\0"
            client.sendall(b"%04x" % (len(request) + 4) + request)
            assert b"ERR" in recv_all(client)
        else:
            with contextlib.closing(client.makefile("rb")) as lines:
                assert lines.readline().startswith(word)
