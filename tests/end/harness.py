"""The real program under test, and clients for it.

    with Superd(tmp_path, {"echo": {"listen": ["tcp", "udp"], "design": "threads"}}) as superd:
        with superd.connect("echo") as client:
            client.sendall(b"hello")
            assert recv_exactly(client, 5) == b"hello"
        assert superd.wait_for("echo", served=1)["bytes_in"] == 5

A listener is "tcp", "udp", "tcp6", "udp6" or "unix", for which the harness chooses a free place on loopback, or a text as
the configuration has it, where {port} and {path} stand for such a place ("udp/*:{port}"). Other keys are those of the
configuration. Nothing here sleeps to be in step: everything polls with a deadline.
"""

import collections
import contextlib
import functools
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SUPERD_BUILD", ROOT / "build/release"))
PROGRAM = os.environ.get("SUPERD", str(ROOT / "build/release/superd"))

# How much slower than a release build the one under test is: under a sanitizer ./dev says 5.
SLOWNESS = float(os.environ.get("SUPERD_TEST_SLOWNESS", "1"))
PATIENCE = 20 * SLOWNESS  # seconds until something that ought to happen is taken for lost

IS_SANITIZED = os.environ.get("SUPERD_PRESET", "") in ("asan", "tsan")
SANITIZER_WORDS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "MemorySanitizer", "runtime error:")
SANITIZER_EXIT = 99  # as ./dev asks the sanitizers for

TEMPLATES = {
    "tcp": "tcp/127.0.0.1:{port}",
    "udp": "udp/127.0.0.1:{port}",
    "tcp6": "tcp/[::1]:{port}",
    "udp6": "udp/[::1]:{port}",
    "unix": "unix:{path}",
}

LARGEST_DATAGRAM = 65507
FROM_1900_TO_1970 = 2_208_988_800

# For tests that are not about these limits. As many as fit into the descriptors that select(2) can watch.
ROOMY = {"level": 800, "per_client": 800}


def poll_until(predicate, seconds=None, what=""):
    """The first true value of predicate(), asked until the deadline; AssertionError after it."""
    deadline = time.monotonic() + (PATIENCE if seconds is None else seconds * SLOWNESS)
    pause = 0.001
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within the deadline: " + (what or "what was waited for"))
        select.select([], [], [], pause)
        pause = min(pause * 1.5, 0.05)


# --- clients ---


def connect(family, address, *, seconds=None, source=None):
    """A stream that is connected; every call on it is bounded by `seconds`, or by PATIENCE."""
    client = socket.socket(family, socket.SOCK_STREAM)
    try:
        client.settimeout(PATIENCE if seconds is None else seconds * SLOWNESS)
        if source:
            client.bind(source)
        client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


def datagram_socket(family, address=None, *, seconds=None, source=None):
    """A datagram socket, connected where there is an address."""
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(PATIENCE if seconds is None else seconds * SLOWNESS)
    if source:
        client.bind(source)
    if address:
        client.connect(address)
    return client


def recv_all(client, most=1 << 30):
    """Everything until the other side ends the stream."""
    parts = bytearray()
    while len(parts) < most:
        part = client.recv(65536)
        if not part:
            break
        parts += part
    return bytes(parts)


def recv_exactly(client, size):
    parts = bytearray()
    while len(parts) < size:
        part = client.recv(size - len(parts))
        if not part:
            raise AssertionError(f"the stream ended after {len(parts)} of {size} bytes")
        parts += part
    return bytes(parts)


def recv_line(client):
    line = bytearray()
    while not line.endswith(b"\n"):
        part = client.recv(1)
        if not part:
            raise AssertionError(f"the stream ended in a line: {bytes(line)!r}")
        line += part
    return bytes(line)


def send_bytewise(client, data):
    """One segment a byte."""
    with contextlib.suppress(OSError):  # unix sockets have no such option
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        client.sendall(bytes([byte]))


def has_bytes(client):
    """Whether a receive would not block now."""
    return bool(select.select([client], [], [], 0)[0])


def reset(client):
    """Closes with a reset instead of an orderly end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def converse_both_ways(client, data, *, chunk=65536):
    """Sends all and half closes while receiving; returns all that came back."""
    answer, rest = bytearray(), memoryview(data)
    client.setblocking(False)
    deadline = time.monotonic() + 3 * PATIENCE
    while True:
        assert time.monotonic() < deadline, f"stuck: {len(rest)} bytes unsent, {len(answer)} received"
        readable, writable, _ = select.select([client], [client] if rest else [], [], 1)
        if writable:
            rest = rest[client.send(rest[:chunk]):]
            if not rest:
                client.shutdown(socket.SHUT_WR)
        if readable:
            part = client.recv(1 << 18)
            if not part:
                return bytes(answer)
            answer += part


COLUMNS, PRINTABLES = 72, bytes(range(0x20, 0x7F))


def chargen_lines(count):
    """The pattern of RFC 864: 72 of the 95 printable characters, each line one later, CR LF."""
    ring = PRINTABLES * 2
    starts = (line % len(PRINTABLES) for line in range(count))
    return b"".join(ring[start:start + COLUMNS] + b"\r\n" for start in starts)


# --- places to listen ---


class PortInUse(Exception):
    pass


def free_port():
    """A port that nobody has on either transport or family. Below the ephemeral range, so that no client's own port
    can be one of the program's: datagrams from its own ports it does not answer."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(15000, 32000)
        with contextlib.ExitStack() as stack:
            try:
                for family, wildcard in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        probe = stack.enter_context(socket.socket(family, kind))
                        if family == socket.AF_INET6:
                            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                        probe.bind((wildcard, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(str(value))


class Place:
    """A listener of a service: its text in the configuration, and where clients find it."""

    def __init__(self, kind, path):
        template = TEMPLATES.get(kind, kind)
        self.kind = kind
        self.path = str(path)
        self.port = free_port() if "{port}" in template else None
        self.text = template.replace("{port}", str(self.port)).replace("{path}", self.path)
        if template.startswith("unix:"):
            self.family, self.address = socket.AF_UNIX, self.text[len("unix:"):]
        else:
            self.family = socket.AF_INET6 if "[" in template else socket.AF_INET
            host = "::1" if self.family == socket.AF_INET6 else "127.0.0.1"
            self.address = (host, self.port)


# --- the program ---


def run_superd(*arguments, **options):
    """One call of the program that ends by itself; a CompletedProcess with text."""
    options.setdefault("timeout", PATIENCE)
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True, **options)
    assert_sane(done.returncode, done.stderr)
    return done


@functools.lru_cache(maxsize=None)
def tables():
    """The program's own tables: services, designs, engines."""
    done = run_superd("--list")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ways_to_serve(*designs):
    """The settings of each design as often as it has engines, and of event designs with one loop and with two."""
    ways = []
    for design in tables()["designs"]:
        if designs and design["name"] not in designs:
            continue
        engines = [engine["name"] for engine in tables()["engines"]] if design["uses_engine"] else [None]
        loops = [1, 2] if design["uses_loops"] else [None]
        workers = 3 if design["uses_workers"] else None
        for engine in engines:
            for count in loops:
                way = {"design": design["name"], "engine": engine, "loops": count, "workers": workers}
                ways.append({key: value for key, value in way.items() if value is not None})
    return ways


def name_of_way(way):
    return "-".join(str(way[key]) for key in ("design", "engine", "loops") if key in way)


def every_way(*designs):
    """A parameter `way` for each; pytest.mark.parametrize takes it."""
    ways = ways_to_serve(*designs)
    return {"argnames": "way", "argvalues": ways, "ids": map(name_of_way, ways)}


def assert_sane(code, errors):
    """No sanitizer has spoken, and no signal has ended it."""
    assert not any(word in errors for word in SANITIZER_WORDS), errors
    assert code != SANITIZER_EXIT, errors
    assert code >= 0, f"ended by {signal.Signals(-code).name}\n{errors}"


class Superd:
    """The program while it serves. To be used in a with statement, which ends it whatever happens."""

    def __init__(self, folder, services, *, defaults=None, drain="10s", log_level="info", log="json", settings=None,
                 wrapper=(), arguments=(), environment=None, program=None, **popen):
        self.folder = Path(folder)
        self.services = services
        self.settings = {"drain": drain, "log": log, "log_level": log_level, **(settings or {})}
        self.defaults = defaults or {}
        self.wrapper = list(wrapper)
        self.arguments = list(map(str, arguments))
        self.environment = environment
        self.program = str(program or PROGRAM)
        self.popen = popen
        self.process = None
        self.places = {}
        self.number = len(list(self.folder.glob("superd-*.toml")))
        self._events, self._strays, self._offset = [], [], 0

    # Life.

    def __enter__(self):
        for attempt in range(5):
            try:
                self._start()
                return self
            except PortInUse:
                # Between our look and its bind somebody took a port.
                if attempt == 4:
                    raise
            except BaseException:
                self._kill()
                raise

    def __exit__(self, kind, error, trace):
        if self.process.returncode is None and kind is None:
            self.cut()
        self._kill()
        if kind is None and not self._was_killed:
            assert_sane(self.process.returncode, self.stderr())

    def _start(self):
        self._choose_places()
        self.number += 1
        self.config = self.folder / f"superd-{self.number}.toml"
        self.config.write_text(self.config_text())
        self.log_path = self.folder / f"superd-{self.number}.log"
        self._events, self._strays, self._offset, self._was_killed = [], [], 0, False
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.program, "--config", str(self.config), *self.arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=self.environment, **self.popen)
        wanted = sum(len(places) for places in self.places.values())
        poll_until(lambda: len(self.events("listening")) >= wanted or self._has_failed(), what="superd listens")

    def _has_failed(self):
        if self.process.poll() is None:
            return False
        if self.process.returncode == 111 and "in use" in self.stderr():
            raise PortInUse(self.stderr())
        raise AssertionError(f"superd ended with {self.process.returncode}\n{self.stderr()}\n{self.config_text()}")

    def _choose_places(self):
        self.places = {}
        for name, service in self.services.items():
            self.places[name] = [Place(kind, self.folder / f"{name}-{index}.sock")
                                 for index, kind in enumerate(service.get("listen", ["tcp"]))]

    def config_text(self):
        lines = ["[superd]"] + [f"{key} = {toml(value)}" for key, value in self.settings.items()]
        if self.defaults:
            lines += ["[defaults]"] + [f"{key} = {toml(value)}" for key, value in self.defaults.items()]
        for name, service in self.services.items():
            lines += [f"[service.{name}]", f"listen = {toml([place.text for place in self.places[name]])}"]
            lines += [f"{key} = {toml(value)}" for key, value in service.items() if key != "listen"]
        return "\n".join(lines) + "\n"

    @property
    def pid(self):
        return self.process.pid

    def send_signal(self, number):
        self.process.send_signal(number)

    @contextlib.contextmanager
    def frozen(self):
        """The program stands still, while what clients do piles up in the kernel."""
        stat = Path(f"/proc/{self.pid}/stat")
        self.send_signal(signal.SIGSTOP)
        try:
            poll_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", what="superd stands still")
            yield
        finally:
            self.send_signal(signal.SIGCONT)

    def wait(self, seconds=None):
        """Its exit code, once it has ended."""
        try:
            self.process.wait(PATIENCE if seconds is None else seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise AssertionError("superd does not end\n" + self.stderr()[-5000:]) from None
        assert_sane(self.process.returncode, self.stderr())
        return self.process.returncode

    def stop(self, number=signal.SIGTERM):
        """Asks it to end; its exit code."""
        self.send_signal(number)
        return self.wait()

    def cut(self):
        """Ends it at once, whatever goes on: a second signal cuts, but two that are pending are one."""
        def has_ended():
            if self.process.poll() is not None:
                return True
            self.send_signal(signal.SIGTERM)
            return False

        poll_until(has_ended, what="superd ends")
        return self.wait()

    def _kill(self):
        if self.process and self.process.poll() is None:
            self._was_killed = True
            self.process.kill()
            self.process.wait()

    # What it says.

    def stderr(self):
        return self.log_path.read_text(errors="replace")

    def events(self, name=None, **fields):
        """The log's lines so far as dictionaries: those of an event, those with these fields."""
        with open(self.log_path, "rb") as log:
            log.seek(self._offset)
            fresh = log.read()
        whole = fresh[:fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            try:
                self._events.append(json.loads(line))
            except ValueError:
                self._strays.append(line)
        return [event for event in self._events
                if (name is None or event.get("event") == name) and all(event.get(k) == v for k, v in fields.items())]

    def strays(self):
        """The log's lines that are no JSON; there should be none."""
        self.events()
        return list(self._strays)

    def wait_for_event(self, name, **fields):
        return poll_until(lambda: self.events(name, **fields), what=f"an event {name} {fields}")[-1]

    def counters(self, service):
        """What it counts now for one service, with level and peak; what is not there is 0."""
        before = len(self.events("counters", service=service))
        if self.process.poll() is None:
            self.send_signal(signal.SIGUSR2)
            poll_until(lambda: len(self.events("counters", service=service)) > before, what=f"counters of {service}")
        line = self.events("counters", service=service)[-1]
        return collections.Counter({key: value for key, value in line.items() if isinstance(value, int)})

    def wait_for(self, service, **least):
        """The counters, once each named one has reached its number."""
        seen = {}

        def reached():
            seen.update(self.counters(service))
            return all(seen.get(name, 0) >= number for name, number in least.items())

        with self._told(lambda: f"{service}: {least} wanted, {seen} seen"):
            poll_until(reached, what="counters")
        return collections.Counter(seen)

    def wait_for_level(self, service, level):
        """The counters, once so many conversations are under way."""
        found = poll_until(lambda: [c for c in [self.counters(service)] if c["level"] == level],
                           what=f"{level} conversations of {service}")
        return found[0]

    @staticmethod
    @contextlib.contextmanager
    def _told(text):
        try:
            yield
        except AssertionError as failure:
            raise AssertionError(f"{failure}: {text()}") from None

    # Its clients.

    def place(self, service, kind=None):
        """The service's first listener, or its first of a kind."""
        for place in self.places[service]:
            if kind is None or place.kind == kind:
                return place
        raise KeyError(f"{service} has no listener {kind}")

    def port(self, service, kind=None):
        return self.place(service, kind).port

    def connect(self, service, kind=None, **options):
        place = self.place(service, kind)
        return connect(place.family, place.address, **options)

    def datagrams(self, service, kind="udp", **options):
        place = self.place(service, kind)
        return datagram_socket(place.family, place.address, **options)

    def ask(self, service, request=b"", kind="udp", **options):
        """The answer to one datagram."""
        with self.datagrams(service, kind, **options) as client:
            client.send(request)
            return client.recv(LARGEST_DATAGRAM)

    # What it costs.

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
