"""Time limits: silent, slow, never-ending and lingering clients are ended and counted (faults 23, 24). All ways wait at
the same time: a module's program has a service for each."""

import contextlib
import re
import select
import socket
import threading

import pytest

from fault_tools import WAYS, every_way, is_echoed, services_of_every_way, stopped
from harness import IS_SANITIZED, SLOWNESS, Superd, poll_until, recv_exactly, reset

STAMP = re.compile(rb"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n")
TIMED_OUT = ("timed_out_idle", "timed_out_slow", "timed_out_total", "timed_out_linger")


def ms(duration):
    return f"{int(duration * SLOWNESS)}ms"


# A kind of client each: the service's limits, and the counter that the client ends in.
KINDS = {
    "silent": ({"idle": ms(300)}, "timed_out_idle"),
    "silent_after_talking": ({"idle": ms(300)}, "timed_out_idle"),
    "never_reading": ({"handler": "chargen", "idle": ms(300), "send_buffer": "4KiB"}, "timed_out_idle"),
    "sending_without_reading": ({"idle": ms(300), "send_buffer": "4KiB"}, "timed_out_idle"),
    # 20 bytes a second where 100 are wanted; each of them comes well within `idle`.
    "trickling": ({"idle": ms(1000), "min_rate": 100}, "timed_out_slow"),
    "reading_slowly": ({"handler": "chargen", "idle": ms(1500), "min_rate": "1MiB", "send_buffer": "4KiB"},
                       "timed_out_slow"),
    "busy": ({"total": ms(1000)}, "timed_out_total"),
    "drinking": ({"handler": "chargen", "total": ms(1000)}, "timed_out_total"),
    "silent_for_longer_than_total": ({"total": ms(300)}, "timed_out_total"),
    "sending_after_the_answer": ({"handler": "daytime", "linger": ms(300)}, "timed_out_linger"),
    "flooding_after_the_answer": ({"handler": "daytime", "linger": ms(10_000)}, None),
}
PACE = 0.05 * SLOWNESS


class Visitor:
    """A client of a kind, with what it does when it is its turn and what it has got."""

    def __init__(self, kind, connecting):
        self.kind, self.answer, self.is_over = kind, b"", False
        buffer = 2048 if kind in ("never_reading", "sending_without_reading", "reading_slowly") else None
        self.client = connecting(buffer)

    def begin(self):
        if self.kind in ("trickling", "busy"):
            assert is_echoed(self.client)
        if self.kind == "silent_after_talking":
            assert is_echoed(self.client)
        self.client.setblocking(False)

    def step(self):
        if self.is_over:
            return
        try:
            with contextlib.suppress(BlockingIOError):
                getattr(self, "_" + self.kind)()
        except ConnectionError:
            self.is_over = True

    def _silent(self):
        self.is_over = self.client.recv(100) == b""

    _silent_after_talking = _silent
    _silent_for_longer_than_total = _silent

    def _never_reading(self):
        pass

    def _sending_without_reading(self):
        self.client.send(bytes(65536))

    def _trickling(self):
        self.client.send(b".")
        self.answer += self.client.recv(100)

    def _reading_slowly(self):
        self.is_over = self.client.recv(500) == b""

    def _busy(self):
        for _ in range(100):
            self.client.send(bytes(1000))
            self.client.recv(100_000)

    def _drinking(self):
        while part := self.client.recv(1 << 20):
            self.answer = part
        self.is_over = True

    def _sending_after_the_answer(self):
        with contextlib.suppress(BlockingIOError):
            self.answer += self.client.recv(100)
        self.client.send(b"and another thing")

    def _flooding_after_the_answer(self):
        with contextlib.suppress(BlockingIOError):
            self.answer += self.client.recv(100)
        for _ in range(100):
            self.client.send(bytes(65536))


def connecting(superd, service):
    def connect(buffer):
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(20 * SLOWNESS)
        client.connect(superd.place(service).address)
        return client

    return connect


class Visits:
    """One visitor of each kind to each way, all at the same time, who go on until the module's tests are over."""

    def __init__(self, superd, sockets):
        self.superd, self.visitors = superd, {}
        # Who is to be lingered for has to be heard before the answer is finished.
        with stopped(superd):
            for name in superd.services:
                visitor = self.visitors[name] = Visitor(name.partition("-")[0], connecting(superd, name))
                sockets.callback(visitor.client.close)
                if "after_the_answer" in name:
                    visitor.client.sendall(b"what time is it?")
        for visitor in self.visitors.values():
            visitor.begin()
        self.has_ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        sockets.callback(self._end)

    def _run(self):
        while not self.has_ended.is_set():
            for visitor in self.visitors.values():
                visitor.step()
            select.select([], [], [], PACE)

    def _end(self):
        self.has_ended.set()
        self.thread.join()


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    services = {f"{kind}-{way.name}": way.service(workers=2, level=8, per_client=8, **settings)
                for kind, (settings, _) in KINDS.items() for way in WAYS}
    with contextlib.ExitStack() as running:
        superd = running.enter_context(Superd(tmp_path_factory.mktemp("visits"), services))
        yield Visits(superd, running)


@every_way()
@pytest.mark.parametrize("kind", KINDS)
def test_such_a_client_is_ended_and_counted_as_what_it_is(visits, kind, way):
    service, counter = f"{kind}-{way.name}", KINDS[kind][1]
    visits.superd.wait_for_level(service, 0)
    counters = visits.superd.counters(service)
    counted = {name: counters[name] for name in TIMED_OUT if counters[name]}
    assert counted == ({counter: 1} if counter else {})
    assert counters["accepted"] == 1
    if kind == "drinking":
        poll_until(lambda: visits.visitors[service].is_over, what="the client sees the end")


@every_way()
@pytest.mark.parametrize("kind", ["sending_after_the_answer", "flooding_after_the_answer"])
def test_who_goes_on_sending_gets_the_whole_answer_all_the_same(visits, kind, way):
    visitor = visits.visitors[f"{kind}-{way.name}"]
    poll_until(lambda: STAMP.fullmatch(visitor.answer), what="the whole answer")
    poll_until(lambda: visitor.is_over, what="the end of the connection")


def test_patient_clients_above_the_rate_are_not_ended_any_way(superd):
    program = superd(services_of_every_way(idle=ms(400), min_rate=1000))
    with contextlib.ExitStack() as sockets:
        clients = [sockets.enter_context(program.connect(way.name)) for way in WAYS]
        # Far above the rate, for three times as long as a silent client would be suffered.
        for _ in range(24):
            assert all(is_echoed(client, bytes(5000)) for client in clients)
            select.select([], [], [], 0.05 * SLOWNESS)
    for way in WAYS:
        counters = program.wait_for(way.name, served=1)
        assert not any(counters[name] for name in TIMED_OUT), way.name


@every_way(but=lambda way: way.serves_one_at_a_time)
def test_a_client_that_never_reads_costs_a_bounded_amount_of_memory(superd, way):
    if IS_SANITIZED:
        pytest.skip("a sanitizer keeps what was freed")
    program = superd({"chargen": way.service(handler="chargen", workers=16, send_buffer="16KiB")})
    with contextlib.ExitStack() as sockets:
        first = sockets.enter_context(program.connect("chargen"))
        assert recv_exactly(first, 1 << 20)
        before = program.resident_bytes()
        clients = [sockets.enter_context(program.connect("chargen")) for _ in range(10)]
        assert all(recv_exactly(client, 1000) for client in clients)
        program.wait_for_level("chargen", 11)
        assert program.resident_bytes() - before < 4 << 20
        for client in [first, *clients]:
            reset(client)
    program.wait_for("chargen", reset_by_client=11)
    program.wait_for_level("chargen", 0)


@every_way()
def test_who_is_ended_for_idling_sees_an_orderly_end(superd, way):
    program = superd({"echo": way.service(idle=ms(100))})
    with program.connect("echo") as client:
        assert is_echoed(client)
        assert client.recv(1) == b""
    assert program.wait_for("echo", timed_out_idle=1)
