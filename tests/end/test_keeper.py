"""The keeper: a host that dies or hangs is replaced while new clients wait, and loses its own conversations alone."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from fault_tools import has_ended, is_echoed
from harness import (PATIENCE, PROGRAM, Superd, is_alive, name_of_process, poll_until, recv_all, run_superd)

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="needs root")

ECHO = {"echo": {"listen": ["tcp"]}}
DAYTIME = {"daytime": {"listen": ["tcp"]}}
ROOMY_DAYTIME = {"daytime": {"listen": ["tcp"], "level": 200, "per_client": 200}}


def host_of(superd, name="superd:host"):
    return poll_until(lambda: superd.processes_called(name[:15]), what=f"a process {name}")[0]


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


class Visitors:
    """Clients that come one after the other, in threads of their own; what went wrong for any of them is kept."""

    def __init__(self, superd, service, threads=4):
        self.superd, self.service = superd, service
        self.served, self.failures = 0, []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(threads)]

    def _visit(self):
        while not self._ends.is_set():
            try:
                with self.superd.connect(self.service) as client:
                    if recv_all(client):
                        self.served += 1
                    else:
                        self.failures.append("served nothing")
            except ConnectionResetError as failure:
                self.failures.append(f"cut: {failure}")
            except OSError as failure:
                self.failures.append(f"refused: {failure}")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads), "a client waits for ever"


def refused(failures):
    return [failure for failure in failures if failure.startswith("refused")]


def test_a_host_that_is_killed_is_replaced_and_no_new_client_refused(tmp_path):
    with Superd(tmp_path, DAYTIME) as superd, Visitors(superd, "daytime") as visitors:
        for number in range(1, 6):
            before = visitors.served
            poll_until(lambda: visitors.served > before + 20, what="clients are served")
            os.kill(host_of(superd), signal.SIGKILL)
            poll_until(lambda: len(superd.events("a host was replaced")) == number, what="the host is replaced")
        died = superd.events("a host died")
        assert len(died) == 5 and all(event["why"] == "SIGKILL" for event in died)
    assert not refused(visitors.failures)
    # Who was being served at that moment is lost, and nobody else.
    assert len(visitors.failures) <= 5 * 4


def test_a_host_that_hangs_is_replaced_and_no_new_client_refused(tmp_path):
    with Superd(tmp_path, DAYTIME, settings={"heartbeat": "500ms"}) as superd, Visitors(superd, "daytime") as visitors:
        poll_until(lambda: visitors.served > 20, what="clients are served")
        os.kill(host_of(superd), signal.SIGSTOP)
        superd.wait_for_event("a host hangs")
        superd.wait_for_event("a host was replaced")
        before = visitors.served
        poll_until(lambda: visitors.served > before + 20, what="clients are served again")
    assert not refused(visitors.failures)


def test_the_seats_of_a_dead_host_are_vacant_again(tmp_path):
    with Superd(tmp_path, {"echo": {"level": 3, "per_client": 3}}) as superd:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(superd.connect("echo")) for _ in range(3)]
            assert all(is_echoed(client) for client in clients)
            os.kill(host_of(superd), signal.SIGKILL)
            assert all(has_ended(client) for client in clients)
            fresh = [stack.enter_context(superd.connect("echo")) for _ in range(3)]
            assert all(is_echoed(client) for client in fresh)
        assert superd.events("a host died")[-1]["lost"] == 3
        counters = superd.wait_for("echo", served=3)
        assert counters["accepted"] == 6, "counters outlive a host"


def test_an_isolated_service_takes_nobody_with_it(tmp_path):
    services = {"echo": {}, "alone": {"handler": "echo", "isolate": True}}
    with Superd(tmp_path, services) as superd, superd.connect("echo") as other, superd.connect("alone") as own:
        assert is_echoed(other) and is_echoed(own)
        os.kill(host_of(superd, "superd:alone"), signal.SIGKILL)
        assert has_ended(own)
        assert is_echoed(other)
        with superd.connect("alone") as client:
            assert is_echoed(client)


def reload(superd, **settings):
    name, = superd.services
    superd.services[name] = {key: value for key, value in {**superd.services[name], **settings}.items() if value is not None}
    superd.config.write_text(superd.config_text())
    before = len(superd.events("reloaded"))
    superd.send_signal(signal.SIGHUP)
    poll_until(lambda: len(superd.events("reloaded")) > before, what="the file is read again")
    assert not superd.events("not changed") and not superd.events("no reload")


def test_a_service_moves_between_hosts_and_loses_nobody(tmp_path):
    with Superd(tmp_path, DAYTIME) as superd, Visitors(superd, "daytime") as visitors:
        for isolate in (True, False) * 4:
            before = visitors.served
            reload(superd, isolate=isolate)
            poll_until(lambda: visitors.served > before + 20, what="clients are served")
            wanted = "superd:daytime"
            poll_until(lambda: bool(superd.processes_called(wanted)) == isolate, what=f"{wanted}: {isolate}")
    assert not visitors.failures


def test_a_service_becomes_a_program_and_a_handler_again_and_loses_nobody(tmp_path):
    program = ["/bin/echo", "the time is now"]
    with Superd(tmp_path, ROOMY_DAYTIME) as superd, Visitors(superd, "daytime") as visitors:
        for words in (program, None) * 3:
            before = visitors.served
            reload(superd, program=words)
            poll_until(lambda: visitors.served > before + 20, what="clients are served")
    assert not visitors.failures


def test_other_rights_for_handlers_are_had_by_other_hosts(tmp_path):
    with Superd(tmp_path, ECHO) as superd, superd.connect("echo") as client:
        assert is_echoed(client)
        first = host_of(superd)
        superd.settings["host_user"] = "daemon" if IS_ROOT else None
        reload(superd)
        with superd.connect("echo") as another:
            assert is_echoed(another) and is_echoed(client)
            if IS_ROOT:
                fresh = [pid for pid in superd.processes_called("superd:host") if pid != first]
                assert [status_of(pid)["Uid"].split()[0] for pid in fresh] == ["1"]


def test_what_dies_again_and_again_is_started_after_pauses(tmp_path):
    with Superd(tmp_path, ECHO) as superd:
        for number in range(1, 5):
            os.kill(host_of(superd), signal.SIGKILL)
            poll_until(lambda: len(superd.events("a host was replaced")) == number, what="the host is replaced")
        with superd.connect("echo") as client:
            assert is_echoed(client)


def test_programs_under_way_go_on_when_their_host_dies(tmp_path):
    services = {"cat": {"program": ["/bin/cat"], "listen": ["tcp"]}}
    with Superd(tmp_path, services) as superd, superd.connect("cat") as client:
        assert is_echoed(client)
        os.kill(host_of(superd, "superd:programs"), signal.SIGKILL)
        superd.wait_for_event("a host was replaced")
        assert is_echoed(client)
        with superd.connect("cat") as another:
            assert is_echoed(another)


@needs_root
def test_who_serves_clients_has_no_privileges(tmp_path):
    with Superd(tmp_path, ECHO, settings={"host_user": None}) as superd:
        status = status_of(host_of(superd))
        assert status["Uid"].split() == ["65534"] * 4 and status["Gid"].split() == ["65534"] * 4
        assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
        assert status["NoNewPrivs"].strip() == "1"


def test_in_a_user_namespace_without_nobody_the_user_stays_and_the_capabilities_go(tmp_path):
    wrapper = ["unshare", "-r"]
    if subprocess.run([*wrapper, "true"], check=False, capture_output=True).returncode:
        pytest.skip("user namespaces are not permitted")
    with Superd(tmp_path, ECHO, settings={"host_user": None}, wrapper=wrapper) as superd:
        with superd.connect("echo") as client:
            assert is_echoed(client)
        status = status_of(host_of(superd))
        assert status["Uid"].split() == [str(os.geteuid())] * 4
        assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))


@needs_root
def test_handlers_have_the_rights_of_the_user_that_is_wanted(tmp_path):
    with Superd(tmp_path, ECHO, settings={"host_user": "daemon"}) as superd:
        assert status_of(host_of(superd))["Uid"].split() == ["1"] * 4


@pytest.fixture
def open_folder():
    """One that every user may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


@needs_root
def test_without_root_it_serves_all_the_same(open_folder):
    with Superd(open_folder, ECHO, **NOBODY) as superd, superd.connect("echo") as client:
        assert is_echoed(client)


@needs_root
def test_without_root_another_user_is_refused_with_a_line(open_folder):
    config = open_folder / "superd.toml"
    config.write_text('[superd]\nhost_user = "daemon"\n[service.echo]\nlisten = "tcp/127.0.0.1:0"\n')
    done = run_superd("--config", config, **NOBODY)
    assert done.returncode == 111
    assert re.search(r"host_user: .* root", done.stderr), done.stderr


def test_the_keeper_has_one_thread_and_no_client(tmp_path):
    with Superd(tmp_path, ECHO) as superd, superd.connect("echo") as client:
        assert is_echoed(client)
        assert len(os.listdir(f"/proc/{superd.pid}/task")) == 1
        inode = {os.readlink(f"/proc/{superd.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{superd.pid}/fd")}
        theirs = {os.readlink(f"/proc/{host_of(superd)}/fd/{fd}") for fd in os.listdir(f"/proc/{host_of(superd)}/fd")}
        connection = {link for link in theirs - inode if link.startswith("socket:")}
        assert connection, "the client's connection is the host's alone"


def test_when_the_keeper_is_gone_its_hosts_end_and_their_sockets_are_free(tmp_path):
    with Superd(tmp_path, ECHO, drain="1s") as superd:
        family = superd.processes()
        with superd.connect("echo") as client:
            assert is_echoed(client)
            superd._kill()
            poll_until(lambda: not any(map(is_alive, family)), what="the hosts end")
        socket.create_server(("127.0.0.1", superd.port("echo"))).close()


@needs_root
def test_as_the_first_process_of_a_container_it_reaps_everybody(tmp_path):
    """It is process 1 of a namespace of its own; orphans come to it, and SIGTERM ends it although it is 1."""
    orphan = ["/bin/sh", "-c", "(/bin/sh -c 'exit 3' &) ; exec /bin/cat"]
    if subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], check=False).returncode:
        pytest.skip("no namespace may be made here")
    wrapper = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    with Superd(tmp_path, {"cat": {"program": orphan, "listen": ["tcp"]}}, wrapper=wrapper) as superd:
        for _ in range(5):
            with superd.connect("cat") as client:
                assert is_echoed(client)
        first = [pid for pid in superd.processes() if name_of_process(pid) == "superd"][0]
        poll_until(lambda: not zombies_below(first), what="all who ended are reaped")
        os.kill(first, signal.SIGTERM)
        assert superd.wait() == 0


def zombies_below(pid):
    found = subprocess.run(["ps", "-o", "stat=", "--ppid", str(pid)], text=True, capture_output=True, check=False)
    return [line for line in found.stdout.split() if line.startswith("Z")]


def test_a_second_one_with_the_same_pid_file_does_not_start(tmp_path):
    pid_file = tmp_path / "superd.pid"
    with Superd(tmp_path, ECHO, settings={"pid_file": str(pid_file)}) as superd:
        assert pid_file.read_text() == f"{superd.pid}\n"
        config = tmp_path / "second.toml"
        config.write_text(f'[superd]\npid_file = "{pid_file}"\n[service.echo]\nlisten = "tcp/127.0.0.1:0"\n')
        done = run_superd("--config", config)
        assert done.returncode == 111
        assert str(superd.pid) in done.stderr and "pid_file" in done.stderr
        assert pid_file.read_text() == f"{superd.pid}\n"
        assert superd.stop() == 0
    assert not pid_file.exists()


def test_a_pid_file_that_was_left_behind_is_in_nobodys_way(tmp_path):
    pid_file = tmp_path / "superd.pid"
    pid_file.write_text("1\n")
    with Superd(tmp_path, ECHO, settings={"pid_file": str(pid_file)}) as superd:
        assert pid_file.read_text() == f"{superd.pid}\n"


class ServiceManager:
    """What a service manager is to a program it starts: a socket for its words, and sockets that listen already."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def wait_for(self, word):
        poll_until(lambda: word in self.socket.recv(4096).decode().splitlines(), what=word)

    def environment(self, **more):
        return {**os.environ, "NOTIFY_SOCKET": self.path, **more}


def test_a_service_manager_is_told_when_it_serves_reloads_and_stops(tmp_path):
    with ServiceManager(tmp_path) as manager:
        with Superd(tmp_path, ECHO, environment=manager.environment(WATCHDOG_USEC="200000")) as superd:
            manager.wait_for("READY=1")
            manager.wait_for("WATCHDOG=1")
            superd.send_signal(signal.SIGHUP)
            manager.wait_for("RELOADING=1")
            manager.wait_for("READY=1")
            superd.send_signal(signal.SIGTERM)
            manager.wait_for("STOPPING=1")
            assert superd.wait() == 0


STARTER = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="echo")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_sockets_of_a_service_manager_are_served(tmp_path):
    """The listener is made, and has a client, before superd begins."""
    with Superd(tmp_path, ECHO) as free:
        port = free.port("echo")
    config = tmp_path / "inherited.toml"
    config.write_text(f'[superd]\nlog = "json"\n[service.echo]\nlisten = "tcp/127.0.0.1:{port}"\n')
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(port), PROGRAM, "--config", str(config)],
                               stderr=subprocess.PIPE, text=True)
    try:
        def connected():
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", port), PATIENCE)
        with poll_until(connected, what="the listener is there") as client:
            assert is_echoed(client)
    finally:
        starter.terminate()
        _, errors = starter.communicate(timeout=PATIENCE)
    assert starter.returncode == 0 and "not used" not in errors, errors
