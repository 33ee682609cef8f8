"""Handlers that compute, sleep and block as they are told: who waits for them, and what remains of it afterwards."""

import contextlib
from pathlib import Path

from fault_tools import every_way
from harness import has_bytes, poll_until, recv_all, recv_exactly


def answer_to(client, request):
    client.sendall(request + b"\n")
    wanted = b"done " + request + b"\n"
    assert recv_exactly(client, len(wanted)) == wanted


def background_threads(program):
    """Those of the program's processes, by the name they have in top(1)."""
    def name_of(task):
        try:
            return (task / "comm").read_text().strip()
        except OSError:  # it has ended
            return ""

    return [task for task in Path(f"/proc/{program.host}/task").iterdir() if name_of(task) == "background"]


@every_way(but=lambda way: way.serves_one_at_a_time)
def test_who_sleeps_holds_up_nobody(superd, way):
    program = superd({"slow": way.service(handler="slow", listen=["tcp", "udp"])})
    with program.connect("slow") as sleeper, program.connect("slow") as other:
        sleeper.sendall(b"sleep 10s\n")
        program.wait_for("slow", accepted=1)
        for request in (b"sleep 1ms", b"compute 1ms", b"background 1ms"):
            answer_to(other, request)
            assert program.ask("slow", request) == b"done " + request + b"\n"
        assert not has_bytes(sleeper)


@every_way(but=lambda way: way.row["name"] != "event")
def test_a_loop_has_background_threads_only_while_they_are_needed(superd, way):
    program = superd({"slow": way.service(handler="slow")})
    assert not background_threads(program)
    with program.connect("slow") as client:
        answer_to(client, b"compute 1ms sleep 1ms block 1ms")
        assert not background_threads(program)
        answer_to(client, b"background 1ms")
        assert len(background_threads(program)) == 1
        poll_until(lambda: not background_threads(program), what="an idle thread goes")
        answer_to(client, b"background 1ms")


@every_way()
def test_a_stop_waits_for_what_runs_in_the_background_and_tells_no_answer(superd, way):
    program = superd({"slow": way.service(handler="slow")}, drain="1ms")
    with program.connect("slow") as client:
        answer_to(client, b"sleep 1ms")
        client.sendall(b"background 500ms\nsleep 2ms\n")
        program.stop()
        with contextlib.suppress(ConnectionResetError):  # cut before it was read
            assert b"sleep" not in recv_all(client)


@every_way()
def test_a_line_without_an_end_ends_the_conversation(superd, way):
    program = superd({"slow": way.service(handler="slow")})
    with program.connect("slow") as client:
        client.sendall(b"sleep 1ms\n" + b"x" * 201)
        assert recv_all(client) == b"done sleep 1ms\nbad request: a line has at most 200 bytes\n"
    assert program.wait_for("slow", served=1)["failed"] == 0


@every_way()
def test_a_handler_that_takes_longer_than_idle_does_not_make_its_client_silent(superd, way):
    program = superd({"slow": way.service(handler="slow", idle="300ms")})
    with program.connect("slow") as client:
        answer_to(client, b"block 1s")
        answer_to(client, b"sleep 1ms")
    assert not any(counted for name, counted in program.wait_for("slow", served=1).items() if "timed_out" in name)
