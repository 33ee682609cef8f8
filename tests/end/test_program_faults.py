"""Programs that fail: at their start, at once, again and again, or not at all when they should (faults 9 to 16, 61)."""

import contextlib
import errno
import os
import signal
import sys
from pathlib import Path

import pytest

from fault_tools import Injection, cpu_share, cpu_share_of, forbid, needs_strace
from harness import (Superd, descendants_of, is_alive, name_of_process, poll_until, recv_all, recv_exactly)

SHELL = "/bin/sh"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a program a user of its own")
# Numbers of system calls that are the same on every architecture.
CLONE3, CLOSE_RANGE, LANDLOCK_CREATE_RULESET = 435, 436, 444


def shell(script, **settings):
    return {"it": {"listen": ["tcp"], "program": [SHELL, "-c", script], **settings}}


def answer_of(superd, service="it"):
    with superd.connect(service) as client:
        return recv_all(client)


def let_die(superd, number):
    for _ in range(number):
        with contextlib.suppress(ConnectionError):
            answer_of(superd)


# --- what a program inherits ---


def test_a_program_inherits_no_descriptor_mask_or_word_of_superd(tmp_path):
    """Faults 19 to 21."""
    script = ("import os, sys; print(*sorted(os.listdir('/proc/self/fd'), key=int)); "
              "print(*[l.split()[1] for l in open('/proc/self/status') if l[:6] in ('SigBlk', 'SigIgn')]); "
              "print(*sorted(os.environ))")
    services = {"it": {"listen": ["tcp"], "program": [sys.executable, "-S", "-E", "-c", script], "environment": ["A=b"]},
                "other": {"listen": ["tcp", "udp"], "handler": "echo"}}
    with Superd(tmp_path, services) as superd:
        superd.connect("other").close()
        said = answer_of(superd).decode().splitlines()
    assert said[0] == "0 1 2 3"  # the last one is of the listing itself
    # Python itself ignores SIGPIPE (13) and SIGXFSZ (25).
    assert said[1] == "0000000000000000 0000000001001000"
    assert {word for word in said[2].split() if not word.startswith(("TCP", "REMOTE"))} <= {"A", "PROTO", "SERVICE",
                                                                                           "LC_CTYPE"}


# --- no process to be had ---


@needs_strace
@pytest.mark.parametrize("error", ["EAGAIN", "ENOMEM"])
def test_a_client_is_kept_until_there_is_a_process_for_it(tmp_path, error):
    with Superd(tmp_path, shell("echo word")) as superd:
        with Injection(superd, "clone,clone3", error, times=3) as injection:
            with superd.connect("it") as client:
                injection.wait_for_hit()
                assert recv_all(client) == b"word\n"
        counters = superd.wait_for("it", served=1)
        assert counters["out_of_threads"] >= 1 and counters["failed"] == 0


@needs_strace
def test_nobody_is_kept_longer_for_want_of_a_process_than_he_may_stay(tmp_path):
    with Superd(tmp_path, shell("echo word", total="300ms")) as superd:
        with Injection(superd, "clone,clone3", "EAGAIN", times=Injection.ALWAYS):
            with superd.connect("it") as client, pytest.raises(ConnectionResetError):
                recv_all(client)
            counters = superd.wait_for("it", timed_out_total=1)
            assert counters["level"] == 0
        assert answer_of(superd) == b"word\n"


@needs_root
def test_a_user_with_no_process_left_keeps_his_clients_waiting(tmp_path):
    """RLIMIT_NPROC, which execve(2) minds: the kernel lets one more in than it says."""
    # A user that nobody else here is.
    services = shell("echo begun; exec sleep 1000", user="games", rlimits=["nproc=1"])
    with Superd(tmp_path, services) as superd, superd.connect("it") as first, superd.connect("it") as second:
        assert recv_exactly(first, 6) == recv_exactly(second, 6) == b"begun\n"
        with superd.connect("it") as third:
            superd.wait_for("it", out_of_threads=2)
            for pid in superd.processes_called("sleep"):
                os.kill(pid, signal.SIGKILL)
            assert recv_exactly(third, 6) == b"begun\n"


@pytest.fixture
def group_of_processes():
    """A control group (v1) that bounds processes."""
    group = Path(f"/sys/fs/cgroup/pids/superd-test-{os.getpid()}")
    try:
        group.mkdir()
    except OSError as failure:
        pytest.skip(f"no control group of processes may be made here: {failure}")
    yield group

    def is_empty():
        members = (group / "cgroup.procs").read_text().split()
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        return not members

    poll_until(is_empty, what="nobody is in the group")
    group.rmdir()


def test_where_no_process_is_left_on_the_machine_superd_rests_and_serves_when_there_is_one(tmp_path, group_of_processes):
    """A program's children have taken them all. Handlers need none."""
    services = {"greedy": {"listen": ["tcp"], "program": [SHELL, "-c", "while sleep 1000 & do :; done"]},
                "echo": {"listen": ["tcp"]}, **shell("echo word")}
    into_group = (lambda: (group_of_processes / "cgroup.procs").write_text("0"))
    with Superd(tmp_path, services, preexec_fn=into_group) as superd:
        here = int((group_of_processes / "pids.current").read_text())
        (group_of_processes / "pids.max").write_text(str(here + 10))
        superd.connect("greedy").close()
        poll_until(lambda: len(superd.processes_called("sleep")) >= 8, what="they are taken")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(superd.connect("it")) for _ in range(5)]
            poll_until(lambda: superd.counters("it")["out_of_threads"] >= 3, what="there is no process")
            keepers = [superd.pid, *(pid for pid in superd.processes() if name_of_process(pid).startswith("greedy+1:"))]
            assert len(keepers) == 2 and cpu_share_of(keepers, 0.5) < 0.2
            with superd.connect("echo") as other:
                other.sendall(b"word")
                assert recv_exactly(other, 4) == b"word"
            for pid in superd.processes_called("sleep"):
                os.kill(pid, signal.SIGKILL)
            assert [recv_all(client) for client in clients] == [b"word\n"] * 5
        assert superd.counters("it")["failed"] == 0


# --- programs that cannot be run, or die ---


def test_a_program_that_cannot_be_executed_is_told_once_and_held_back(tmp_path):
    not_executable, no_program = tmp_path / "plain", tmp_path / "nonsense"
    not_executable.write_text("text")
    no_program.write_text("no format that the kernel knows")
    no_program.chmod(0o755)
    services = {name: {"listen": ["tcp"], "program": [str(path)]}
                for name, path in (("plain", not_executable), ("nonsense", no_program))}
    with Superd(tmp_path, services) as superd:
        for name, why in (("plain", "permission denied"), ("nonsense", "exec format error")):
            for _ in range(12):
                with contextlib.suppress(ConnectionError):
                    assert answer_of(superd, name) == b""
            poll_until(lambda: superd.counters(name)["held_back"] >= 1, what="it is held back")
            told = superd.events("program not started", service=name)
            assert len(told) == 1 and why in told[0]["why"]
            assert len(superd.events("program dies again and again", service=name)) == 1
            not_executable.write_text("#!/bin/sh\necho there\n")
            not_executable.chmod(0o755)
        # The listener is there all the while, and the program is found when it is there again.
        poll_until(lambda: answer_of(superd, "plain") == b"there\n", what="it is served")


def test_a_program_that_crashes_for_everybody_is_slowed_down_and_its_listener_stays(tmp_path):
    flag = tmp_path / "well"
    script = f"test -e {flag} && echo word || kill -SEGV $$"
    with Superd(tmp_path, shell(script) | {"echo": {"listen": ["tcp"]}}) as superd:
        let_die(superd, 16)
        counters = poll_until(lambda: superd.counters("it") if superd.counters("it")["held_back"] >= 5 else None,
                              what="it is held back")
        assert counters["crashed"] >= 15
        told = superd.events("program dies again and again")
        assert len(told) == 1 and told[0]["service"] == "it"
        with superd.connect("echo") as other:
            other.sendall(b"word")
            assert recv_exactly(other, 4) == b"word"
        flag.touch()
        assert answer_of(superd) == b"word\n"
        assert answer_of(superd) == b"word\n"


def test_exit_codes_of_bad_requests_slow_nobody_down(tmp_path):
    with Superd(tmp_path, shell("exit 1")) as superd:
        let_die(superd, 40)
        assert superd.wait_for("it", failed=40)["held_back"] == 0


def test_a_busy_executable_is_an_error_like_any_other(tmp_path):
    program = tmp_path / "busy"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    with Superd(tmp_path, {"it": {"listen": ["tcp"], "program": [str(program)]}}) as superd:
        with program.open("ab"):
            assert answer_of(superd) == b""
            superd.wait_for("it", failed=1)
        answer_of(superd)
        superd.wait_for("it", served=1)
        assert "text file busy" in superd.events("program not started")[0]["why"]


def test_a_program_that_does_not_take_its_datagram_costs_no_processor(tmp_path):
    """Fault 13: the socket stays readable."""
    with Superd(tmp_path, {"it": {"listen": ["udp"], "program": ["/bin/sleep", "1000"], "wait": True}}) as superd:
        with superd.datagrams("it") as client:
            client.send(b"anybody?")
            poll_until(lambda: superd.processes_called("sleep"), what="it runs")
            assert cpu_share(superd, 0.5) < 0.2
            superd.cut()


# --- programs that do not end ---


def test_those_that_a_program_leaves_in_its_group_are_killed_with_it(tmp_path):
    """Faults 14, 15: the leader obeys, a child of it does not."""
    script = "(trap '' TERM; echo ready; while :; do sleep 1; done) & wait"
    with Superd(tmp_path, shell(script, total="500ms")) as superd, superd.connect("it") as client:
        assert recv_all(client) == b"ready\n"
        superd.wait_for("it", timed_out_total=1)
        poll_until(lambda: not superd.processes_called("sh"), what="nobody is left")


def test_who_left_the_programs_group_ends_with_superd_when_that_is_cut(tmp_path):
    """Fault 15: a double fork into a session of its own."""
    script = ("import os, time\nif os.fork(): os.wait(); print('away', flush=True); time.sleep(1000)\n"
              "os.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(1000)")
    services = {"it": {"listen": ["tcp"], "program": [sys.executable, "-c", script]}}
    with Superd(tmp_path, services, drain="200ms") as superd, superd.connect("it") as client:
        assert recv_exactly(client, 5) == b"away\n"
        family = poll_until(lambda: [pid for pid in descendants_of(superd.pid) if "python" in Path(
            f"/proc/{pid}/comm").read_text()][1:] and descendants_of(superd.pid), what="both are there")
        superd.send_signal(signal.SIGTERM)
        superd.wait()
        poll_until(lambda: not any(map(is_alive, family)), what="nobody is left")


@needs_root
def test_a_fork_bomb_is_bounded_by_the_services_processes(tmp_path):
    services = shell("bomb() { bomb | bomb & }; bomb; sleep 1000", processes=40, stderr="nowhere")
    services |= {"echo": {"listen": ["tcp"]}}
    try:
        superd = Superd(tmp_path, services, drain="100ms")
        superd.__enter__()
    except AssertionError as failure:
        if "control group" in str(failure):
            pytest.skip("no control group may be made here")
        raise
    with contextlib.ExitStack() as stack:
        stack.push(superd)
        stack.enter_context(superd.connect("it"))
        groups = poll_until(lambda: list(Path("/sys/fs/cgroup").glob("**/superd.*.it/pids.current")), what="the group is there")
        for _ in range(20):
            with superd.connect("echo") as other:
                other.sendall(b"word")
                assert recv_exactly(other, 4) == b"word"
            assert all(int(group.read_text()) <= 42 for group in groups)
        superd.send_signal(signal.SIGTERM)
        superd.wait()
        poll_until(lambda: not any(group.exists() for group in groups), what="the group is gone")


# --- a kernel that has less ---


@pytest.mark.parametrize("call", [CLONE3, CLOSE_RANGE], ids=["clone3", "close_range"])
@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM], ids=["ENOSYS", "EPERM"])
def test_programs_run_where_the_kernel_lacks_a_call(tmp_path, call, code):
    with Superd(tmp_path, shell("grep -c SigIgn:.0000000000000000 /proc/self/status; ls /proc/self/fd | tr '\\n' ' '"),
                preexec_fn=forbid(call, code)) as superd:
        assert answer_of(superd) == b"1\n0 1 2 3 "
        assert answer_of(superd) == b"1\n0 1 2 3 "


def test_without_landlock_paths_are_refused_unless_the_best_is_enough(tmp_path):
    paths = {"read_paths": ["/"], "execute_paths": ["/"]}
    without = forbid(LANDLOCK_CREATE_RULESET, errno.ENOSYS)
    with pytest.raises(AssertionError, match="read_paths, write_paths, execute_paths: this kernel has no Landlock"):
        with Superd(tmp_path, shell("echo word", **paths), preexec_fn=without):
            pass
    with Superd(tmp_path, shell("echo word", best_effort=True, **paths), preexec_fn=without) as superd:
        assert answer_of(superd) == b"word\n"
        assert superd.events("program is confined less than wanted")
        assert not superd.events("paths are confined")


def test_how_far_this_kernel_confines_paths_is_told_when_superd_starts(tmp_path):
    services = shell("echo word", read_paths=["/"], execute_paths=["/"]) | {"free": {"listen": ["tcp"], "program": [SHELL]}}
    try:
        with Superd(tmp_path, services) as superd:
            told = superd.events("paths are confined")
            assert [line["service"] for line in told] == ["it"] and told[0]["landlock"] >= 1
            assert bool(told[0]["but_for"]) == (told[0]["landlock"] < 5)
            assert answer_of(superd) == b"word\n"
    except AssertionError as failure:
        if "no Landlock" not in str(failure):
            raise
        pytest.skip("this kernel has no Landlock")


# --- all listeners at once ---

TAKE_ALL = """
import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid())
names = os.environ["LISTEN_FDNAMES"].split(":")
doors = [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]
import select
for _ in range(len(doors)):
    for door in select.select(doors, [], [])[0]:
        if door.type == socket.SOCK_STREAM:
            client, _ = door.accept()
            client.sendall(f"{len(doors)} {names}".encode())
            client.close()
        else:
            data, peer = door.recvfrom(100)
            door.sendto(data.upper(), peer)
"""


def test_a_waiting_program_may_have_all_listeners_as_systemd_passes_them(tmp_path):
    services = {"it": {"listen": ["tcp", "udp"], "program": [sys.executable, "-c", TAKE_ALL], "wait": True,
                       "pass": "listen_fds"}}
    with Superd(tmp_path, services) as superd:
        for _ in range(2):
            assert answer_of(superd) == b"2 ['it', 'it']"
            with superd.datagrams("it") as client:
                client.send(b"word")
                assert client.recv(100) == b"WORD"
        superd.wait_for("it", served=2)


def test_all_services_of_programs_share_one_dispatcher(tmp_path):
    services = {f"s{number}": {"listen": ["tcp"], "program": ["/bin/echo", str(number)]} for number in range(30)}
    with Superd(tmp_path, services) as superd:
        for number in (0, 13, 29):
            assert answer_of(superd, f"s{number}") == f"{number}\n".encode()
        assert len(superd.processes_called("s0+29:dispatche")) == 1
