"""What the fault and limit tests need beyond harness.py: every way to run a service, failing system calls, descriptor
limits, network namespaces, and datagrams whose source is made up."""

import contextlib
import ctypes
import errno
import os
import platform
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness import PATIENCE, fields_of_process, poll_until, recv_exactly, tables

# --- ways: a design, with its engine where it has one ---


class Way:
    """A design, and an engine where the design has one."""

    def __init__(self, design, engine=None):
        self.row, self.engine = design, engine
        self.name = design["name"] + (f"-{engine}" if engine else "")

    @property
    def settings(self):
        return {"design": self.row["name"], **({"engine": self.engine} if self.engine else {})}

    @property
    def serves_one_at_a_time(self):
        return self.row["name"] == "iterative"

    def service(self, **settings):
        """The keys of a service that runs this way; "echo" where nothing else is said."""
        settings.setdefault("handler", "echo")
        if not self.row["uses_workers"]:
            settings.pop("workers", None)
        return {**self.settings, **settings}


def all_ways():
    rows = tables()
    for design in rows["designs"]:
        for engine in design["engines"] or [None]:
            yield Way(design, engine)


WAYS = list(all_ways())


def every_way(*, but=lambda way: False):
    """The tests below it run for every way, but for those that make no sense."""
    return pytest.mark.parametrize("way", [way for way in WAYS if not but(way)], ids=lambda way: way.name)


def forks(way):
    return way.row["forks"]


def one_at_a_time(way):
    return way.serves_one_at_a_time


# The ring receives and sends by itself: there is no system call that could fail for want of memory.
def by_ring(way):
    return way.engine == "io_uring"


def services_of_every_way(*, but=lambda way: False, **settings):
    """A service for each way, so that all of them can wait for a time-out at the same time."""
    return {way.name: way.service(**settings) for way in WAYS if not but(way)}


def is_echoed(client, text=b"still here?"):
    client.sendall(text)
    return recv_exactly(client, len(text)) == text


# --- the process ---


def cpu_share(process, seconds):
    """Which part of one processor a program takes while it is looked at, with all that came from it."""
    return share_of(process.cpu_seconds, seconds)


def cpu_share_of(pids, seconds):
    """The same of these processes alone."""
    def used():
        return sum(sum(map(int, fields_of_process(pid)[11:13])) for pid in pids) / os.sysconf("SC_CLK_TCK")

    return share_of(used, seconds)


def share_of(cpu_seconds, seconds):
    begun, used = time.monotonic(), cpu_seconds()
    let_pass(seconds)
    return (cpu_seconds() - used) / (time.monotonic() - begun)


def let_pass(seconds):
    """Time that has to go by because it is what the test is about; never to wait for somebody."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        select.select([], [], [], deadline - time.monotonic())


def first_free_descriptor(process):
    used = {int(name) for name in os.listdir(f"/proc/{process.host}/fd")}
    return min(set(range(len(used) + 1)) - used)


@contextlib.contextmanager
def descriptors_below(process, limit):
    """A running program gets no other descriptors from now on; it keeps those it has. The value, called, ends it."""
    before = resource.prlimit(process.host, resource.RLIMIT_NOFILE)

    def restore():
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.host, resource.RLIMIT_NOFILE, before)

    resource.prlimit(process.host, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield restore
    finally:
        restore()


@contextlib.contextmanager
def stopped(process):
    """The program does not run, but its sockets are there."""
    with process.frozen():
        yield


def state_of(task):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    return "ended"


def tracer_of(task):
    return int(re.search(r"TracerPid:\s+(\d+)", (task / "status").read_text())[1])


# --- system calls that fail ---


def is_traceable():
    if not shutil.which("strace"):
        return False
    probe = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return probe.returncode == 0


needs_strace = pytest.mark.skipif(not is_traceable(), reason="strace is not installed, or not permitted to trace")


class Injection:
    """While it is entered, the first `times` calls of each thread fail; ALWAYS: all. `calls` are alternatives:
    "clone,clone3"."""

    ALWAYS = None

    def __init__(self, process, calls, error, *, times=3):
        if os.environ.get("SUPERD_PRESET") == "tsan" and process.processes_called("echo:dispatcher"):
            pytest.skip("strace loses sight of a child that has a thread of the sanitizer's when it ends")
        self.process, self.calls = process, calls
        self.trace = process.folder / f"strace-{calls.replace(',', '-')}-{error}"
        when = "1+" if times is self.ALWAYS else f"1..{times}"
        everybody = [word for pid in process.processes() for word in ("-p", str(pid))]
        self.command = ["strace", "-f", "-o", str(self.trace), *everybody, "-e", f"trace={calls}",
                        "-e", "signal=none", "-e", f"inject={calls}:error={error}:when={when}"]

    # A program that runs is seized at once, but told to stop only later: the calls that it is in meanwhile end untouched.
    # One that stands still cannot go on before strace lets it, from call to call.
    def __enter__(self):
        with stopped(self.process):
            self.strace = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.PIPE, text=True)
            try:
                poll_until(self._is_attached, what="strace attaches")
            except BaseException:
                self._end()
                raise
        return self

    def _is_attached(self):
        if self.strace.poll() is not None:
            raise AssertionError("strace: " + self.strace.stderr.read())
        return all(state_of(task) == "t" and tracer_of(task) == self.strace.pid for task in self._tasks())

    def _tasks(self):
        return [task for pid in self.process.processes() for task in Path(f"/proc/{pid}/task").iterdir()]

    def _end(self):
        if self.strace.poll() is None:
            self.strace.send_signal(signal.SIGINT)
            try:
                self.strace.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.strace.kill()
                self.strace.wait()
        self.strace.stderr.close()

    def __exit__(self, *_):
        self._end()

    def hits(self):
        """How many calls have failed by our hand."""
        return self.trace.read_text(errors="replace").count("(INJECTED)") if self.trace.exists() else 0

    def wait_for_hit(self):
        return poll_until(self.hits, what=f"a failing {self.calls}")


AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
IO_URING_SETUP = 425  # on every architecture
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000

libc = ctypes.CDLL(None, use_errno=True)


def forbid(call, code=errno.EPERM):
    """To be run in a child before exec: from then on the system call fails."""
    if platform.machine() not in AUDIT_ARCH:
        pytest.skip("no seccomp filter for " + platform.machine())
    # seccomp(2), struct seccomp_data: the call's number is at 0, the architecture at 4. Classic BPF: load, compare, return.
    program = [
        (0x20, 0, 0, 4), (0x15, 0, 3, AUDIT_ARCH[platform.machine()]),
        (0x20, 0, 0, 0), (0x15, 0, 1, call),
        (0x06, 0, 0, SECCOMP_RET_ERRNO | code),
        (0x06, 0, 0, SECCOMP_RET_ALLOW),
    ]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))

    def before_exec():
        header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(filters)))
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0):
            os._exit(97)

    return before_exec


# --- networks of our own ---

CLONE_NEWNET = 0x40000000


def may_make_namespaces():
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0


needs_namespaces = pytest.mark.skipif(not may_make_namespaces(), reason="network namespaces are not permitted here")


def in_own_network(*commands):
    """A wrapper that runs a program in a network of its own, with these commands before it. Its pid stays."""
    script = "\n".join(["set -e", "ip link set lo up", *commands, 'exec "$@"'])
    return ["unshare", "-n", "sh", "-c", script, "sh"]


@contextlib.contextmanager
def network_of(pid):
    """Sockets that this thread makes meanwhile are in the network of that process, and stay there."""
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        enter(other)
        try:
            yield
        finally:
            enter(own)


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run_in(pid, *command, **options):
    return subprocess.run(["nsenter", "-n", "-t", str(pid), *command], check=True, capture_output=True, text=True,
                          timeout=PATIENCE, **options)


# --- datagrams whose source is made up ---


def may_forge():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        return True
    except PermissionError:
        return False


needs_raw_sockets = pytest.mark.skipif(not may_forge(), reason="raw sockets are not permitted here")


def forge(source, to, payload=b"loop?"):
    """Sends a UDP datagram over IPv4 that claims to be from `source`."""
    datagram = struct.pack("!HHHH", source[1], to[1], 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(source[0]), socket.inet_aton(to[0]))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(header + datagram, (to[0], 0))


# --- clients ---


def has_ended(client):
    """Waits for the end of a stream, orderly or not, and tells whether it came in time."""
    try:
        while client.recv(65536):
            pass
        return True
    except ConnectionError:
        return True


def is_refused(superd, service, kind=None, **options):
    """Whether who connects gets a reset and not a byte; that may come before connect(2) has returned."""
    return is_reset(lambda: superd.connect(service, kind, **options))


def is_reset(connecting):
    try:
        with connecting() as client:
            got = client.recv(1)
    except ConnectionResetError:
        return True
    raise AssertionError(f"{got!r} instead of a reset")
