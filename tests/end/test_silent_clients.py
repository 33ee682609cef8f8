"""Silent clients keep nobody waiting but those of a design that serves one at a time."""

import pytest

from harness import Superd, every_way, name_of_way, recv_all, recv_exactly, tables, ways_to_serve

BOUNDED = [engine["name"] for engine in tables()["engines"] if engine["capacity"]]
WITHOUT_BOUND = [way for way in ways_to_serve("event") if way["engine"] not in BOUNDED]


@pytest.mark.parametrize("way", WITHOUT_BOUND, ids=name_of_way)
def test_two_thousand_silent_clients_keep_nobody_waiting(tmp_path, way):
    silent = 2000
    roomy = {"level": silent + 100, "per_client": silent + 100}
    with Superd(tmp_path, {"echo": {**way, **roomy}, "daytime": {**way}}) as program:
        clients = []
        try:
            for _ in range(silent):
                clients.append(program.connect("echo"))
            program.wait_for_level("echo", silent)
            for _ in range(20):
                with program.connect("daytime") as client:
                    assert recv_all(client).endswith(b"\r\n")
                with program.connect("echo") as client:
                    client.sendall(b"not silent")
                    assert recv_exactly(client, 10) == b"not silent"
            # Nor are they forgotten.
            for client in clients[::100]:
                client.sendall(b"awake")
                assert recv_exactly(client, 5) == b"awake"
        finally:
            for client in clients:
                client.close()
        program.wait_for_level("echo", 0)
        assert program.stop() == 0


@pytest.mark.parametrize(**every_way("iterative", "prethreaded", "threads"))
def test_silent_clients_hold_up_one_service_but_not_another(tmp_path, way):
    with Superd(tmp_path, {"echo": {**way}, "daytime": {**way}}) as program:
        clients = [program.connect("echo") for _ in range(10)]
        try:
            with program.connect("daytime") as client:
                assert recv_all(client).endswith(b"\r\n")
        finally:
            for client in clients:
                client.close()


@pytest.mark.parametrize("engine", BOUNDED)
def test_an_engine_refuses_what_it_cannot_watch_and_says_so(tmp_path, engine):
    many = 1100
    services = {
        "echo": {"design": "event", "engine": engine, "level": 50, "per_client": 50},
        "crowd": {"handler": "echo", "design": "event", "engine": "epoll", "level": many + 10, "per_client": many + 10},
    }
    with Superd(tmp_path, services, log_level="debug") as program:
        with program.connect("echo") as early:
            program.wait_for_level("echo", 1)
            crowd = [program.connect("crowd") for _ in range(many)]
            try:
                program.wait_for_level("crowd", many)
                with program.connect("echo") as late:
                    assert recv_all(late) == b""
                program.wait_for("echo", engine_full=1)
                assert program.events("conversation ended", end="engine full")
                # Who was there before, and who is served by another engine, goes on.
                early.sendall(b"still")
                assert recv_exactly(early, 5) == b"still"
                crowd[-1].sendall(b"here")
                assert recv_exactly(crowd[-1], 4) == b"here"
            finally:
                for client in crowd:
                    client.close()
            program.wait_for_level("crowd", 0)
            with program.connect("echo") as again:
                again.sendall(b"welcome")
                assert recv_exactly(again, 7) == b"welcome"
