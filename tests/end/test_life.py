"""How it ends: signals drain, conversations go on meanwhile, deadlines and second signals cut, the exit code tells."""

import contextlib
import json
import re
import signal
import socket
import subprocess

import pytest

from harness import (LARGEST_DATAGRAM, PROGRAM, SLOWNESS, Superd, connect, every_way, poll_until, recv_all, recv_exactly)

DRAINED, CUT = 0, 1


def begin(program, service="echo", kind=None):
    """A conversation that is under way for sure."""
    client = program.connect(service, kind)
    client.sendall(b"first")
    assert recv_exactly(client, 5) == b"first"
    return client


def wait_until_refused(place):
    """Until nobody can connect any more."""
    def is_refused():
        try:
            connect(place.family, place.address, seconds=1).close()
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except (ConnectionResetError, TimeoutError):
            return False
        return False

    poll_until(is_refused, what=f"new clients are refused at {place.text}")


# --- drain ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(**every_way())
def test_a_signal_lets_conversations_finish(tmp_path, way, number):
    with Superd(tmp_path, {"echo": {**way}}, drain="5m") as program, begin(program) as client:
        program.send_signal(number)
        program.wait_for_event("draining", signal=number.name.removeprefix("SIG"), level=1)
        for text in (b"second", b"x" * 100_000):
            client.sendall(text)
            assert recv_exactly(client, len(text)) == text
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client) == b""
        assert program.wait() == DRAINED
        assert program.events("ended")[-1]["cut"] == 0
        assert program.counters("echo")["served"] == 1


# A thread that serves a client where it took it in looks at its listener again only after that.
@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize(**every_way("threads", "event"))
def test_new_clients_are_refused_while_draining(tmp_path, way, kind):
    with Superd(tmp_path, {"echo": {"listen": [kind], **way}}, drain="5m") as program, begin(program) as client:
        program.send_signal(signal.SIGTERM)
        wait_until_refused(program.place("echo"))
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client) == b""
        assert program.wait() == DRAINED


@pytest.mark.parametrize(**every_way())
def test_who_comes_while_draining_is_served_or_refused_but_not_left_waiting(tmp_path, way):
    with Superd(tmp_path, {"echo": {**way}}, drain="5m") as program, begin(program) as first:
        program.send_signal(signal.SIGTERM)
        program.wait_for_event("draining")
        answer = b""
        with contextlib.suppress(ConnectionError), program.connect("echo") as late:
            late.sendall(b"late")
            late.shutdown(socket.SHUT_WR)
            first.shutdown(socket.SHUT_WR)
            answer = recv_all(late)
        assert answer in (b"", b"late")
        first.close()
        assert program.wait() == DRAINED


def test_a_drain_lets_the_next_program_listen_at_once(tmp_path):
    with Superd(tmp_path, {"echo": {}}, drain="5m") as program, begin(program) as client:
        program.send_signal(signal.SIGTERM)
        wait_until_refused(program.place("echo"))
        again = {"echo": {"listen": [f"tcp/127.0.0.1:{program.port('echo')}"]}}
        with Superd(tmp_path, again):
            with connect(socket.AF_INET, program.place("echo").address) as other:
                other.sendall(b"to the next")
                assert recv_exactly(other, 11) == b"to the next"
            client.sendall(b"to the last")
            assert recv_exactly(client, 11) == b"to the last"


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize(**every_way())
def test_clients_in_the_backlog_are_still_served(tmp_path, way, kind):
    waiting = 5
    with Superd(tmp_path, {"echo": {"listen": [kind], **way}}, drain="5m") as program:
        with program.frozen():
            clients = [program.connect("echo") for _ in range(waiting)]
            for client in clients:
                client.sendall(b"me too")
                client.shutdown(socket.SHUT_WR)
            program.send_signal(signal.SIGTERM)
        for client in clients:
            with client:
                assert recv_all(client) == b"me too"
        assert program.wait() == DRAINED
        assert program.counters("echo")["served"] == waiting


def test_clients_behind_a_long_conversation_are_still_served(tmp_path):
    with Superd(tmp_path, {"echo": {"design": "iterative"}}, drain="5m") as program:
        with begin(program) as first, program.connect("echo") as second, program.connect("echo") as third:
            second.sendall(b"second")
            third.sendall(b"third")
            program.send_signal(signal.SIGTERM)
            program.wait_for_event("draining")
            first.sendall(b"I am done")
            first.shutdown(socket.SHUT_WR)
            assert recv_all(first) == b"I am done"
            for client, text in ((second, b"second"), (third, b"third")):
                client.shutdown(socket.SHUT_WR)
                assert recv_all(client) == text
        assert program.wait() == DRAINED


@pytest.mark.parametrize(**every_way())
def test_datagrams_in_the_buffer_are_still_answered(tmp_path, way):
    with Superd(tmp_path, {"echo": {"listen": ["udp"], **way}}, drain="5m") as program:
        with program.datagrams("echo") as client:
            with program.frozen():
                for number in range(10):
                    client.send(b"%d" % number)
                program.send_signal(signal.SIGTERM)
            assert {client.recv(LARGEST_DATAGRAM) for _ in range(10)} == {b"%d" % number for number in range(10)}
        assert program.wait() == DRAINED


def test_who_is_served_by_nobody_ends_at_once(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp", "udp", "unix"]}}, drain="5m") as program:
        assert program.stop() == DRAINED


# --- cut ---


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize(**every_way())
def test_the_deadline_cuts(tmp_path, way, kind):
    services = {"echo": {"listen": [kind], **way}, "chargen": {"listen": [kind], **way}}
    with Superd(tmp_path, services, drain="100ms") as program:
        # One who is silent, and one whom the program cannot write to.
        with begin(program) as silent, program.connect("chargen") as greedy:
            program.wait_for_level("chargen", 1)
            assert program.stop() == CUT
            assert program.events("ended")[-1]["cut"] == 2
            assert program.counters("echo")["cut"] == 1
            assert program.counters("chargen")["cut"] == 1
            assert recv_all(silent) == b""
            assert len(recv_all(greedy)) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(**every_way())
def test_a_second_signal_cuts_at_once(tmp_path, way, number):
    with Superd(tmp_path, {"echo": {**way}}, drain="1h") as program, begin(program) as client:
        program.send_signal(signal.SIGTERM)
        program.wait_for_event("draining")
        program.send_signal(number)
        assert program.wait() == CUT
        assert recv_all(client) == b""


def test_a_cut_ends_who_waits_behind_a_long_conversation_too(tmp_path):
    with Superd(tmp_path, {"echo": {"design": "iterative"}}, drain="100ms") as program:
        with begin(program) as first, program.connect("echo") as second:
            assert program.stop() == CUT
            assert recv_all(first) == b""
            try:
                assert recv_all(second) == b""
            except ConnectionResetError:
                pass


# --- other signals ---


def test_sighup_reads_the_file_again(superd):
    program = superd({"echo": {}})
    with begin(program) as client:
        program.send_signal(signal.SIGHUP)
        program.wait_for_event("reloaded")
        client.sendall(b"on")
        assert recv_exactly(client, 2) == b"on"


def test_sigusr2_tells_the_counters_of_every_service(superd):
    program = superd({"echo": {"listen": ["tcp", "udp"]}, "daytime": {}})
    with begin(program):
        program.ask("echo", b"one")
        counters = program.wait_for("echo", answered=1)
        assert (counters["level"], counters["accepted"], counters["received"]) == (1, 1, 1)
        assert program.counters("daytime")["accepted"] == 0
    after = program.wait_for("echo", served=2)
    assert (after["bytes_in"], after["bytes_out"], after["peak"]) == (8, 8, 2)


def test_a_client_that_is_gone_ends_nobody_by_sigpipe(superd):
    program = superd({"chargen": {}})
    for _ in range(5):
        program.connect("chargen").close()
    program.wait_for("chargen", reset_by_client=5)
    assert program.stop() == DRAINED


# --- the log ---


def without_repetition(pairs):
    """As JSON wants it (RFC 8259, 4); a reader may take either of two values of one name."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a name stands twice: {names}"
    return dict(pairs)


def test_every_line_of_the_json_log_is_an_object_with_time_severity_and_event(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp", "udp", "unix"]}}, defaults={"log_conversations": "all"}) as program:
        with begin(program), begin(program, kind="unix"):
            program.ask("echo", b"hello")
        program.wait_for("echo", served=3)
        assert program.stop() == DRAINED
        lines = program.stderr().splitlines()
        for line in lines:
            event = json.loads(line, object_pairs_hook=without_repetition)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", event["time"])
            assert event["severity"] in ("debug", "info", "warning", "error")
            assert event["event"]
        ended = program.events("conversation ended")
        streams = [event for event in ended if not event["on"].startswith("udp/")]
        assert {(event["end"], event["in"], event["out"]) for event in streams} == {("finished", 5, 5)}
        assert len(streams) == 2 and len(ended) == 3
        assert [event["event"] for event in program.events()][-4:] == ["draining", "counters", "log", "ended"]


def test_a_conversation_that_went_well_has_no_line_unasked(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp", "udp"]}}) as program:
        with begin(program):
            program.ask("echo", b"hello")
        assert program.stop() == DRAINED
        assert {event["event"] for event in program.events()} == {"listening", "draining", "counters", "log", "ended"}


def test_the_text_log_has_one_line_per_event(tmp_path):
    config = tmp_path / "superd.toml"
    config.write_text(f'[service.echo]\nlisten = ["unix:{tmp_path}/s"]\n')
    process = subprocess.Popen([PROGRAM, "--config", str(config)], stderr=subprocess.PIPE, text=True)
    try:
        first = process.stderr.readline()
        process.terminate()
        rest = process.communicate(timeout=20 * SLOWNESS)[1]
    finally:
        process.kill()
        process.wait()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
    assert re.fullmatch(stamp + rf" info listening service=echo on=unix/.*{tmp_path}/s design=adaptive\n", first)
    assert [re.fullmatch(stamp + r" info (\w+) .*", line)[1] for line in rest.splitlines()] == [
        "draining", "counters", "log", "ended"]
