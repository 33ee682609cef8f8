"""Starting a server or a load where it is to run, waiting until it serves, reading what it uses, ending it."""

import contextlib
import ctypes
import os
import resource
import select
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

READY_SECONDS = 10
END_SECONDS = 10
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failed(Exception):
    """A server or a load did not do its part; the text tells which and what it said."""


@dataclass(frozen=True)
class Place:
    """Where a process runs: its CPUs, and how much more than others it may have of them."""

    cpus: tuple
    nice: int

    def enter(self):
        """In the child, before it becomes the program."""
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, self.cpus)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        # Only root may take more than others. Where sessions are scheduled as groups (sched(7), autogroup), the number
        # of the group is the one that counts.
        with contextlib.suppress(OSError):
            os.nice(self.nice)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(self.nice))


def start(command, place, **streams):
    return subprocess.Popen([str(word) for word in command], preexec_fn=place.enter, start_new_session=True, **streams)


def end(process):
    """SIGTERM, and SIGKILL when that was not enough."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Failed(f"{process.args[0]} did not end within {END_SECONDS} s of SIGTERM") from None


def free_port():
    """A port that is free for TCP and UDP, below those that the kernel gives to clients."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            with contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
    raise Failed("no free port from 20000 to 32000")


# What servers of files serve.
FILES = {"large": 10 << 20, "small": 10 << 10}


def make_files(folder):
    """For servers that give up their rights, too."""
    folder.parent.chmod(0o755)
    folder.mkdir()
    for name, size in FILES.items():
        (folder / name).write_bytes(os.urandom(size))
        (folder / name).chmod(0o644)


def answers(transport, port):
    """Whether a server accepts connections, or answers a datagram."""
    try:
        if transport == "fsp":
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                client.settimeout(0.2)
                client.sendto(b"\x10\x1c" + bytes(10), ("127.0.0.1", port))
                return bool(client.recv(600))
        if transport == "tftp":
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                client.settimeout(0.2)
                client.sendto(b"\0\1nothing\0octet\0", ("127.0.0.1", port))
                return bool(client.recv(600))
        if transport == "tcp":
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(0.1)
            client.connect(("127.0.0.1", port))
            client.send(b"\n")
            return bool(client.recv(64))
    except OSError:
        return False


@dataclass(frozen=True)
class Server:
    contestant: object
    process: subprocess.Popen
    port: int
    output: Path

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        """It should still be there after a load."""
        if self.process.poll() is not None:
            raise Failed(f"{self.contestant.name} ended under load ({self.process.returncode}): {tail(self.output)}")


@contextlib.contextmanager
def serving(contestant, programs, place):
    """A running Server of `contestant`. It has ended when the block is left."""
    port = getattr(contestant, "port", 0) or free_port()
    with tempfile.TemporaryDirectory(prefix="superd-bench-") as folder:
        if contestant.serves_files:
            make_files(Path(folder) / "files")
        command = programs.command(contestant, port, Path(folder))
        output = Path(folder) / "output"
        with output.open("wb") as sink:
            process = start(command, place, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            deadline = time.monotonic() + READY_SECONDS
            while not answers(contestant.probe, port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"{contestant.name} does not serve: {tail(output)}")
                time.sleep(0.01)
            yield Server(contestant, process, port, output)
        finally:
            end(process)


def tail(file):
    lines = file.read_text(errors="replace").strip().splitlines()
    return " | ".join(lines[-3:]) or "it said nothing"


def read_line(process, seconds):
    """One line of a process's output, or an empty one when none came in time."""
    if select.select([process.stdout], [], [], seconds)[0]:
        return process.stdout.readline().decode(errors="replace")
    return ""


def tree(pid):
    """The process and all below it."""
    pids = [pid]
    for parent in pids:
        # It may end at any moment.
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").glob("*/children"):
                pids += [int(child) for child in task.read_text().split()]
    return pids


def threads(pid):
    """Of a process and those below it."""
    return sum(len(list(Path(f"/proc/{one}/task").glob("*"))) for one in tree(pid))


def cpu_seconds(pid):
    """CPU time of all threads of a process and of the processes below it, also of those it has waited for."""
    total = 0.0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            total += time.clock_gettime(~one << 3 | 2)  # the process clock of clock_getcpuclockid(3)
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


def anonymous_bytes(pid):
    """Private anonymous memory of a process and of those below it; what children share with it is counted once each."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Anonymous:"):
                    total += int(line.split()[1]) * 1024
    return total


def peak_bytes(pid):
    """The most resident memory a process has had since it became its program; 0 where it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def busy_seconds(cpus):
    """Time for which somebody ran on these CPUs, or the host took them away."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        words = line.split()
        if words[0].startswith("cpu") and words[0][3:].isdigit() and int(words[0][3:]) in cpus:
            user, nice, system, _, _, irq, softirq, steal = map(int, words[1:9])
            total += user + nice + system + irq + softirq + steal
    return total / os.sysconf("SC_CLK_TCK")
