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
import json
import os
import resource
import signal
import subprocess
from pathlib import Path

from clients import (FROM_1900_TO_1970, IS_SANITIZED, LARGEST_DATAGRAM, PATIENCE, SLOWNESS, chargen_lines, connect,
                     converse_both_ways, datagram_socket, has_bytes, poll_until, recv_all, recv_exactly, reset,
                     send_bytewise)
from places import Place, PortInUse, free_port, toml
from program import BUILD, PROGRAM, ROOT, assert_sane, every_way, name_of_way, run_superd, tables, ways_to_serve

# What tests need, from here alone.
__all__ = [
    "BUILD", "FROM_1900_TO_1970", "IS_SANITIZED", "LARGEST_DATAGRAM", "PATIENCE", "PROGRAM", "PortInUse", "ROOMY",
    "ROOT", "SLOWNESS", "Superd", "assert_sane", "chargen_lines", "connect", "converse_both_ways",
    "datagram_socket", "descendants_of", "every_way", "free_port", "has_bytes", "name_of_way", "poll_until", "recv_all",
    "recv_exactly", "reset", "run_superd", "send_bytewise", "tables", "ways_to_serve",
]

# For tests that are not about these limits. As many as fit into the descriptors that select(2) can watch.
ROOMY = {"level": 800, "per_client": 800}


# --- processes ---


def fields_of_process(pid):
    """Those of /proc/PID/stat behind the name, or of one that has long ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X"] + ["0"] * 50


def state_of_process(pid):
    return fields_of_process(pid)[0]


def stands_still(pid):
    return all(thread.read_text().rpartition(")")[2].split()[0] == "T"
               for thread in Path(f"/proc/{pid}/task").glob("*/stat"))


def is_alive(pid):
    return state_of_process(pid) not in "XZ"


def name_of_process(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def descendants_of(pid):
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, children.read_text().split()):
                if is_alive(child):
                    found += [child, *descendants_of(child)]
    return found


class Superd:
    """The program while it serves. To be used in a with statement, which ends it whatever happens."""

    def __init__(self, folder, services, *, defaults=None, drain="10s", log_level="info", log="json", settings=None,
                 wrapper=(), arguments=(), environment=None, program=None, **popen):
        self.folder = Path(folder)
        self.services = services
        # The folders of the tests are closed to others: a host that gave up root would not find its files.
        ours = {"host_user": "root"} if os.geteuid() == 0 and "user" not in popen else {}
        self.settings = {"drain": drain, "log": log, "log_level": log_level, **ours, **(settings or {})}
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
        self._launch()

    def kill_and_start_again(self):
        """As a crash of the machine would have it, and its start: at the same places, and nothing is remembered."""
        family = self.processes()
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        poll_until(lambda: not any(map(is_alive, family)), what="the processes of superd end")
        self._launch()

    def _launch(self):
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
        lines = ["[superd]"] + [f"{key} = {toml(value)}" for key, value in self.settings.items()
                                if value is not None]
        if self.defaults:
            lines += ["[defaults]"] + [f"{key} = {toml(value)}" for key, value in self.defaults.items()]
        for name, service in self.services.items():
            lines += [f"[service.{name}]", f"listen = {toml([place.text for place in self.places[name]])}"]
            lines += [f"{key} = {toml(value)}" for key, value in service.items() if key != "listen"]
        return "\n".join(lines) + "\n"

    @property
    def pid(self):
        return self.process.pid

    @property
    def host(self):
        """The process that serves clients of handlers; designs that fork have others below it."""
        return poll_until(lambda: self.processes_called("superd:host"), what="a host")[0]

    def send_signal(self, number):
        self.process.send_signal(number)

    def processes(self):
        """It, and all that came from it and are alive; parents before children."""
        return [self.pid, *descendants_of(self.pid)]

    def processes_called(self, name):
        """Those whose name, as ps shows it, is this, or begins with it before "/"."""
        return [pid for pid in self.processes() if name_of_process(pid).partition("/")[0] == name]

    @contextlib.contextmanager
    def frozen(self):
        """The program stands still, while what clients do piles up in the kernel."""
        frozen = []

        def stand_still():
            for pid in self.processes():
                if pid not in frozen:
                    frozen.append(pid)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP)
            return all(map(stands_still, self.processes()))

        try:
            poll_until(stand_still, what="superd stands still")
            yield
        finally:
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def wait(self, seconds=None):
        """Its exit code, once it has ended; nothing that came from it is left then."""
        family = self.processes()
        try:
            self.process.wait(PATIENCE if seconds is None else seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise AssertionError("superd does not end\n" + self.stderr()[-5000:]) from None
        poll_until(lambda: not any(map(is_alive, family)), what="the processes of superd end")
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
        """Of all its processes, and of those that have ended and been reaped."""
        ticks = sum(sum(map(int, fields_of_process(pid)[11:15])) for pid in self.processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        return int(Path(f"/proc/{self.host}/statm").read_text().split()[1]) * resource.getpagesize()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.host}/fd"))
