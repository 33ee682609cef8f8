"""SIGHUP: other designs and limits while clients are served."""

import contextlib
import os
import random
import signal
import socket
import threading

import pytest

from fault_tools import is_echoed
from harness import LARGEST_DATAGRAM, ROOMY, Superd, has_bytes, poll_until, recv_all, recv_exactly, run_superd, tables

DESIGNS = [row["name"] for row in tables()["designs"]]


def rewrite(program, text):
    fresh = program.config.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, program.config)


def hang_up(program, event):
    """Has it read its file again, and waits until it has told of it."""
    before = len(program.events(event))
    program.send_signal(signal.SIGHUP)
    poll_until(lambda: len(program.events(event)) > before, what=f"an event {event}")


def reload(program, service="echo", **settings):
    program.services[service].update(settings)
    rewrite(program, program.config_text())
    hang_up(program, "reloaded")
    assert not program.events("not changed") and not program.events("no reload")


# --- designs ---


@pytest.mark.parametrize("first", DESIGNS)
def test_from_each_design_to_each_other_and_back(tmp_path, first):
    echo = {"listen": ["tcp", "udp", "unix"], "design": first}
    with Superd(tmp_path, {"echo": echo}) as program:
        for other in DESIGNS:
            for design in (other, first):
                with program.connect("echo", "tcp") as old, program.connect("echo", "unix") as old_too:
                    before = program.services["echo"]["design"]
                    if before == "iterative":
                        old_too.close()  # it would wait for the first one
                    assert is_echoed(old)
                    assert before == "iterative" or is_echoed(old_too)
                    reload(program, design=design)
                    assert is_echoed(old)
                    assert before == "iterative" or is_echoed(old_too)
                    if before == design == "iterative":
                        old.close()
                    for kind in ("tcp", "unix"):
                        with program.connect("echo", kind) as new:
                            assert is_echoed(new)
                    assert program.ask("echo", b"datagram") == b"datagram"
                    if not before == design == "iterative":
                        assert is_echoed(old)
                program.wait_for_level("echo", 0)
        counters = program.counters("echo")
        assert counters["refused_level"] == counters["failed"] == counters["cut"] == counters["crashed"] == 0
        assert program.stop() == 0


class Crowd:
    """Clients that come and go all the time, each in a thread of its own, and check every byte."""

    def __init__(self, program, *, streams, datagrams):
        self.program, self.done, self.failures = program, threading.Event(), []
        self.served = 0
        self.threads = [threading.Thread(target=self._come_again, args=(visit, number))
                        for visit, count in ((self._talk, streams), (self._ask, datagrams)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def _come_again(self, visit, number):
        dice = random.Random(number)
        try:
            while not self.done.is_set():
                visit(dice)
                self.served += 1
        except Exception as failure:
            self.failures.append(failure)

    def _talk(self, dice):
        with self.program.connect("echo", dice.choice(["tcp", "unix"])) as client:
            for _ in range(dice.randint(1, 3)):
                data = dice.randbytes(dice.choice([1, 100, 5000]))
                client.sendall(data)
                assert recv_exactly(client, len(data)) == data
            if dice.random() < 0.5:
                client.shutdown(socket.SHUT_WR)
                assert recv_all(client) == b""

    def _ask(self, dice):
        with self.program.datagrams("echo") as client:
            for _ in range(5):
                sent = [dice.randbytes(20) for _ in range(4)]
                for request in sent:
                    client.send(request)
                assert sorted(client.recv(LARGEST_DATAGRAM) for _ in sent) == sorted(sent)


def test_a_design_that_changes_every_50_ms_loses_nobody(tmp_path):
    echo = {"listen": ["tcp", "udp", "unix"], "design": DESIGNS[0], **ROOMY}
    with Superd(tmp_path, {"echo": echo}) as program:
        dice = random.Random(50)
        with Crowd(program, streams=4, datagrams=2) as crowd:
            for number in range(40):
                reload(program, design=DESIGNS[number % len(DESIGNS)] if number < 16 else dice.choice(DESIGNS))
                # The load of that time, not a wait for anything.
                crowd.done.wait(0.05)
                assert not crowd.failures
        assert not crowd.failures
        assert crowd.served > 40
        program.wait_for_level("echo", 0)
        counters = program.counters("echo")
        assert counters["received"] == counters["answered"]
        for name in ("refused_level", "refused_client", "failed", "cut", "crashed", "dropped_queue", "dropped_client",
                     "kernel_drops", "failed_answer", "reset_by_client"):
            assert counters[name] == 0, name
        assert program.stop() == 0


# --- limits ---


@pytest.mark.parametrize("design", [name for name in DESIGNS if name != "iterative"])
def test_a_higher_level_lets_those_in_who_wait(tmp_path, design):
    with Superd(tmp_path, {"echo": {"design": design, "level": 1, "per_client": 1}}) as program:
        with program.connect("echo") as seated, program.connect("echo") as waiting:
            # Whoever is answered first has the seat.
            for client in (seated, waiting):
                client.sendall(b"me")
            poll_until(lambda: has_bytes(seated) or has_bytes(waiting), what="one of them is answered")
            assert program.counters("echo")["level"] == 1
            reload(program, level=2, per_client=2)
            for client in (seated, waiting):
                assert recv_exactly(client, 2) == b"me"
            assert program.wait_for_level("echo", 2)["peak"] == 2


# --- what is wrong ---


def test_a_file_with_errors_changes_nothing_and_each_is_told(tmp_path):
    with Superd(tmp_path, {"echo": {"design": "iterative", "level": 7}}) as program, program.connect("echo") as busy:
        assert is_echoed(busy)
        good = program.config_text()
        wrong = good.replace("iterative", "sequential").replace("level = 7", "level = 0")
        assert wrong != good
        rewrite(program, wrong)
        hang_up(program, "no reload")
        told = [event["why"] for event in poll_until(lambda: program.events("no reload")[1:] and
                                                     program.events("no reload"), what="both errors")]
        assert any("sequential" in line for line in told) and any("level" in line for line in told), told
        assert all(str(program.config) in line for line in told), told
        assert not program.events("reloaded")
        with program.connect("echo") as waiting:
            waiting.sendall(b"one after the other")
            assert is_echoed(busy)
            assert program.counters("echo")["accepted"] == 1
            busy.close()
            assert recv_exactly(waiting, 19) == b"one after the other"
        program.config.unlink()
        before = len(program.events("no reload"))
        hang_up(program, "no reload")
        assert str(program.config) in program.events("no reload")[before]["why"]
        # The signal is no end for good: the right file counts again.
        rewrite(program, good.replace("iterative", "threads"))
        hang_up(program, "reloaded")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(program.connect("echo")) for _ in range(3)]
            assert all(is_echoed(client) for client in clients)


# --- services ---


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def section(name, *listen, **settings):
    lines = [f"[service.{name}]", f"listen = {list(listen)}".replace("'", '"')]
    return "\n".join(lines + [f"{key} = {value}" for key, value in settings.items()]) + "\n"


def add_text(program, text):
    rewrite(program, program.config_text() + "\n" + text)
    hang_up(program, "reloaded")
    assert not program.events("not changed") and not program.events("no reload")


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def is_refused(port):
    try:
        connected(port).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("design", DESIGNS)
def test_a_service_comes_does_something_else_moves_and_goes(tmp_path, design):
    ports = [free_port(), free_port()]
    with Superd(tmp_path, {"echo": {}}) as program, program.connect("echo") as bystander:
        assert is_echoed(bystander)
        guest = {"handler": '"echo"', "design": f'"{design}"'}
        add_text(program, section("guest", f"tcp/127.0.0.1:{ports[0]}", **guest))
        with connected(ports[0]) as old:
            assert is_echoed(old)
            guest["handler"] = '"time"'
            add_text(program, section("guest", f"tcp/127.0.0.1:{ports[0]}", **guest))
            assert is_echoed(old)
            if design == "iterative":
                old.close()
            with connected(ports[0]) as client:
                assert len(recv_all(client)) == 4
        add_text(program, section("guest", f"tcp/127.0.0.1:{ports[1]}", **guest))
        with connected(ports[1]) as client:
            assert len(recv_all(client)) == 4
        poll_until(lambda: is_refused(ports[0]), what="the old address is closed")
        add_text(program, "")
        poll_until(lambda: is_refused(ports[1]), what="the service is gone")
        assert is_echoed(bystander)
        assert program.counters("echo")["accepted"] == 1


def test_a_program_takes_the_place_of_a_handler_and_another_the_place_of_that(tmp_path):
    port = free_port()
    with Superd(tmp_path, {"echo": {}}) as program:
        add_text(program, section("it", f"tcp/127.0.0.1:{port}", handler='"time"'))
        for said in ("hello", "good day"):
            add_text(program, section("it", f"tcp/127.0.0.1:{port}", program=f'["/bin/echo", "{said}"]'))
            with connected(port) as client:
                assert recv_all(client) == said.encode() + b"\n"


def test_a_port_in_use_changes_nothing_and_is_told(tmp_path):
    with Superd(tmp_path, {"echo": {"design": "iterative"}}) as program, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        good = program.config_text()
        rewrite(program, good.replace("iterative", "threads") +
                section("late", f"tcp/127.0.0.1:{port}", handler='"echo"') +
                section("later", f"tcp/127.0.0.1:{free_port()}", handler='"echo"'))
        hang_up(program, "no reload")
        told = program.events("no reload")[0]["why"]
        assert "service late" in told and str(port) in told and "address already in use" in told, told
        assert not program.events("reloaded")
        with program.connect("echo") as busy, program.connect("echo") as waiting:
            assert is_echoed(busy)
            waiting.sendall(b"one after the other")
            assert program.counters("echo")["accepted"] == 1
            busy.close()
            assert recv_exactly(waiting, 19) == b"one after the other"


def test_300_reloads_under_load_lose_nobody(tmp_path):
    echo = {"listen": ["tcp", "udp", "unix"], **ROOMY}
    guests = [section("guest", f"tcp/127.0.0.1:{free_port()}", handler=f'"{handler}"')
              for handler in ("time", "daytime", "echo")] + [""]
    with Superd(tmp_path, {"echo": echo}) as program, program.connect("echo") as bystander:
        assert is_echoed(bystander)
        with Crowd(program, streams=3, datagrams=1) as crowd:
            for number in range(300):
                add_text(program, guests[number % len(guests)])
                assert not crowd.failures
        assert not crowd.failures and crowd.served > 300
        assert is_echoed(bystander)
        bystander.close()
        program.wait_for_level("echo", 0)
        counters = program.counters("echo")
        assert counters["received"] == counters["answered"]
        for name in ("refused_level", "failed", "cut", "crashed", "dropped_queue", "kernel_drops", "failed_answer"):
            assert counters[name] == 0, name
        assert program.stop() == 0


def test_a_file_that_is_cut_short_anywhere_is_read_or_refused(tmp_path):
    with Superd(tmp_path, {"echo": {}}) as program, program.connect("echo") as bystander:
        whole = program.config_text()
        for size in range(0, len(whole), 7):
            rewrite(program, whole[:size])
            before = len(program.events("reloaded")) + len(program.events("no reload"))
            program.send_signal(signal.SIGHUP)
            poll_until(lambda: len(program.events("reloaded")) + len(program.events("no reload")) > before,
                       what="an answer")
        assert is_echoed(bystander)
        rewrite(program, whole)
        hang_up(program, "reloaded")
        with program.connect("echo") as client:
            assert is_echoed(client)


def test_the_difference_between_two_files_is_printed(tmp_path):
    now, wanted = tmp_path / "now.toml", tmp_path / "wanted.toml"
    now.write_text(section("echo", "tcp/7"))
    wanted.write_text(section("echo", "tcp/7", level=9) + section("time", "tcp/37"))
    same = run_superd("--config", str(now), "--diff", str(now))
    assert (same.returncode, same.stdout) == (0, "")
    differs = run_superd("--config", str(now), "--diff", str(wanted))
    assert differs.returncode == 1
    assert "level: 64 -> 9" in differs.stdout and "+ service time" in differs.stdout
    wanted.write_text("[service.echo")
    wrong = run_superd("--diff", str(wanted))
    assert wrong.returncode == 100 and str(wanted) in wrong.stderr
