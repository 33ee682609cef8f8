"""Who may come, and how often: what a client is refused for hits that client alone (faults 29, 54)."""

import contextlib
import os
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from fault_tools import every_way, has_ended, is_echoed, is_refused, is_reset
from harness import connect, has_bytes, poll_until, recv_all, recv_exactly

OFFENDER = ("127.0.0.1", 0)
CROWD = [(f"127.{1 + number}.0.{1 + number}", 0) for number in range(50)]

# No test of these lasts an hour: what is allowed are the bursts.
HOURLY = {"trusted": [], "client_rate": "1/h burst 10"}


def shares_its_socket(way):
    """Several block in accept(2) at one socket, so that none of them can keep a client for later."""
    return way.row["name"] in ("prethreaded", "preforked")


def is_served(superd, source, service="echo"):
    try:
        with superd.connect(service, source=source) as client:
            return is_echoed(client)
    except (ConnectionError, AssertionError):
        return False


@every_way()
def test_a_client_over_its_rate_is_refused_and_fifty_others_notice_nothing(superd, way):
    program = superd({"echo": way.service(over_rate="refuse", **HOURLY)})
    assert sum(is_served(program, OFFENDER) for _ in range(40)) == 10
    assert all(is_served(program, source) for source in CROWD)
    assert not is_served(program, OFFENDER)
    counters = program.wait_for("echo", served=60)
    assert (counters["accepted"], counters["served"], counters["refused_rate"]) == (91, 60, 31)


@every_way()
def test_a_prefix_has_a_rate_of_its_own(superd, way):
    program = superd({"echo": way.service(over_rate="refuse", trusted=[], prefix_rate="1/h burst 12")})
    neighbours = [(f"127.0.0.{1 + number}", 0) for number in range(20)]
    assert sum(is_served(program, source) for source in neighbours) == 12
    assert all(is_served(program, source) for source in CROWD[:10])
    assert program.wait_for("echo", refused_rate=8)["refused_rate"] == 8


@every_way(but=shares_its_socket)
def test_a_client_over_its_rate_waits_and_is_served(superd, way):
    program = superd({"echo": way.service(trusted=[], client_rate="10/s burst 1", over_rate="delay")})
    with contextlib.ExitStack() as sockets:
        hasty = [sockets.enter_context(program.connect("echo", source=OFFENDER)) for _ in range(6)]
        assert way.serves_one_at_a_time or all(is_served(program, source) for source in CROWD[:10])
        for client in hasty:
            assert is_echoed(client)
            client.close()
    counters = program.wait_for("echo", served=6)
    # Some of the six may have been slow enough.
    assert 1 <= counters["delayed"] <= 5
    assert counters["refused_rate"] == 0


@every_way(but=lambda way: not shares_its_socket(way))
def test_where_nobody_can_be_kept_a_client_over_its_rate_is_refused(superd, way):
    program = superd({"echo": way.service(over_rate="delay", **HOURLY)})
    assert sum(is_served(program, OFFENDER) for _ in range(15)) == 10
    assert program.wait_for("echo", refused_rate=5)["delayed"] == 0


@every_way(but=shares_its_socket)
def test_who_waits_for_his_rate_is_served_before_superd_ends(superd, way):
    # More than one may wait of which each begins only when another has ended.
    program = superd({"echo": way.service(trusted=[], client_rate="1/s burst 1", over_rate="delay")})
    with contextlib.ExitStack() as sockets:
        hasty = [sockets.enter_context(program.connect("echo", source=OFFENDER)) for _ in range(5)]
        first = hasty.pop(0)
        assert is_echoed(first)
        if way.serves_one_at_a_time:
            first.close()
        for client in hasty:
            client.sendall(b"me")
            client.shutdown(socket.SHUT_WR)
        if not way.serves_one_at_a_time:
            first.close()
        program.wait_for("echo", delayed=3)
        assert program.stop() == 0
        assert [recv_all(client) for client in hasty] == [b"me"] * 4


@every_way()
def test_the_longest_match_says_who_may_come(superd, way):
    program = superd({"echo": way.service(listen=["tcp", "udp"], trusted=["127.0.0.0/8"],
                                          allow=["127.0.0.0/8", "127.1.2.3"], deny=["127.1.0.0/16"])})
    for address, may_come in (("127.0.0.1", True), ("127.1.2.3", True), ("127.1.2.4", False), ("127.2.0.1", True)):
        assert is_served(program, (address, 0)) == may_come
        with program.datagrams("echo", source=(address, 0)) as client:
            client.send(b"anybody?")
            if may_come:
                assert client.recv(100) == b"anybody?"
    counters = program.wait_for("echo", refused_access=2, answered=3)
    assert (counters["refused_access"], counters["answered"]) == (2, 3)
    refused = program.wait_for_event("refused", why="access")
    assert refused["client"].startswith("127.1.2.4:") and refused["service"] == "echo"


@every_way()
def test_a_mapped_address_is_judged_as_its_ipv4_address(superd, way):
    program = superd({"echo": way.service(listen=["tcp/*:{port}"], deny=["127.0.0.0/8"])})
    port = program.port("echo")
    assert is_reset(lambda: connect(socket.AF_INET6, ("::ffff:127.0.0.1", port)))
    with connect(socket.AF_INET6, ("::1", port)) as client:
        assert is_echoed(client)


@every_way()
def test_a_set_file_that_changes_holds_soon(superd, way, tmp_path):
    banned = tmp_path / "banned"
    banned.write_text("# nobody yet\n")
    program = superd({"echo": way.service(deny=[f"@{banned}"], workers=2)})
    assert is_served(program, OFFENDER)
    banned.write_text("127.0.0.0/24\n")

    def is_banned():
        # By each of the processes that serve.
        return not any(is_served(program, OFFENDER) for _ in range(8))

    poll_until(is_banned, what="the file is in force")
    assert is_served(program, CROWD[0])
    banned.write_text("127.0.0.0/24\nnonsense\n")
    why = program.wait_for_event("set file not read")["why"] if not way.row["forks"] else ""
    assert "line 2" in why or way.row["forks"]
    assert is_banned()
    banned.write_text("")
    poll_until(lambda: is_served(program, OFFENDER), what="the file is in force again")


def test_a_set_file_that_cannot_be_read_is_told_before_anybody_is_served(superd, tmp_path):
    friends = tmp_path / "friends"
    friends.write_text("127.0.0.1\n127.0.0.1/8\n")
    with pytest.raises(AssertionError, match=r"ended with 111(.|\n)*line 2: .*bits behind its prefix"):
        superd({"echo": {"allow": [f"@{friends}"]}})


def test_every_file_that_cannot_be_read_is_told_with_its_service_and_key(superd, tmp_path):
    services = {"echo": {"allow": [f"@{tmp_path}/friends"], "deny": [f"@{tmp_path}/banned"]},
                "time": {"banner": f"@{tmp_path}/welcome"}}
    with pytest.raises(AssertionError) as failure:
        superd(services)
    for line in ("service echo: allow: read /", "service echo: deny: read /", "service time: banner: read /"):
        assert line in str(failure.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others may not")
def test_a_set_file_that_the_hosts_user_may_not_read_is_told_at_the_reload(superd):
    # Not below the tests' own folder, which is closed to others.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        friends = Path(folder, "friends")
        friends.write_text("127.0.0.0/8\n")
        friends.chmod(0o600)
        program = superd({"echo": {}}, settings={"host_user": "nobody"})
        assert reload_refused(program, allow=[f"@{friends}"])["why"].endswith("friends: permission denied")
        friends.chmod(0o644)
        reload_services(program, "reloaded", allow=[f"@{friends}"])
        assert is_served(program, OFFENDER)


def reload_services(program, event, **settings):
    program.services["echo"] = {**program.services["echo"], **settings}
    program.config.write_text(program.config_text())
    before = len(program.events(event))
    program.send_signal(signal.SIGHUP)
    poll_until(lambda: len(program.events(event)) > before, what="the file is read again")
    return program.events(event)[-1]


def reload_refused(program, **settings):
    return reload_services(program, "no reload", **settings)


def test_a_reload_with_a_set_file_that_is_wrong_changes_nothing(superd, tmp_path):
    banned = tmp_path / "banned"
    banned.write_text("127.0.0.0/8\nnonsense\n")
    program = superd({"echo": {"trusted": []}})
    why = reload_refused(program, deny=[f"@{banned}"], level=1)["why"]
    assert why.startswith("service echo: deny: ") and "line 2: " in why
    assert is_served(program, OFFENDER), "nobody is denied"
    banned.write_text("127.0.0.9\n")
    reload_services(program, "reloaded")
    assert not is_served(program, ("127.0.0.9", 0)) and is_served(program, OFFENDER)


def test_a_host_is_replaced_while_its_set_files_and_banner_are_gone(superd, tmp_path):
    banned, welcome = tmp_path / "banned", tmp_path / "welcome"
    banned.write_text("127.0.0.9\n")
    welcome.write_text("hello\n")
    program = superd({"echo": {"deny": [f"@{banned}"]}, "time": {"banner": f"@{welcome}", "allow": ["127.0.0.0/8"]}})
    banned.unlink()
    welcome.unlink()
    for number in (1, 2):
        os.kill(program.host, signal.SIGKILL)
        poll_until(lambda: len(program.events("a host was replaced")) == number, what="a host is replaced")
        assert is_served(program, OFFENDER)
        assert not is_served(program, ("127.0.0.9", 0)), "what the file held is still in force"
        with program.connect("time") as client:
            assert len(recv_all(client)) == 4
    told = [event for event in program.events("set file not read") if "as the configuration found it" in event["then"]]
    assert len(told) == 2, "once by each"
    banned.write_text("127.0.0.0/8\n")
    poll_until(lambda: not is_served(program, OFFENDER), what="the file is in force")


@every_way()
def test_outside_of_the_hours_clients_are_refused(superd, way):
    now = time.localtime()
    # An hour that is half a day off, whatever the day.
    closed = f"{(now.tm_hour + 12) % 24:02}:00-{(now.tm_hour + 13) % 24:02}:00"
    around = f"{(now.tm_hour + 22) % 24:02}:00-{(now.tm_hour + 2) % 24:02}:00"
    program = superd({"closed": way.service(listen=["tcp", "udp"], hours=[closed]),
                      "open": way.service(hours=[closed, around])})
    assert is_refused(program, "closed")
    assert is_served(program, OFFENDER, "open")
    with program.datagrams("closed") as client:
        client.send(b"anybody?")
        assert program.wait_for("closed", refused_hours=2)["answered"] == 0


@every_way()
def test_a_prefix_has_its_share_of_the_places(superd, way):
    if way.serves_one_at_a_time:
        pytest.skip("one at a time")
    program = superd({"echo": way.service(per_prefix=3)})
    neighbours = [(f"127.0.0.{1 + number}", 0) for number in range(4)]
    with contextlib.ExitStack() as sockets:
        inside = [sockets.enter_context(program.connect("echo", source=source)) for source in neighbours[:3]]
        assert all(is_echoed(client) for client in inside)
        assert not is_served(program, neighbours[3])
        assert is_served(program, CROWD[0])
        program.wait_for("echo", refused_prefix=1)
        inside[0].close()
        poll_until(lambda: is_served(program, neighbours[3]), what="the place is free again")
        assert all(is_echoed(client) for client in inside[1:])


@every_way()
def test_a_tarpit_holds_who_is_refused_and_nobody_else(superd, way):
    program = superd({"echo": way.service(deny=["127.0.0.1"], refused="tarpit", tarpit_time="1s")})
    with contextlib.ExitStack() as sockets:
        held = [sockets.enter_context(program.connect("echo", source=OFFENDER)) for _ in range(10)]
        assert all(is_served(program, source) for source in CROWD)
        counters = program.wait_for("echo", tarpitted=10)
        assert counters["refused_access"] == 10

        def are_released():
            # Where several block in accept(2), one that held somebody has to come back from there.
            assert is_served(program, CROWD[0])
            return all(has_bytes(client) for client in held)

        poll_until(are_released, what="the tarpit lets go")
        assert all(has_ended(client) for client in held)


@every_way()
def test_a_tarpit_that_is_full_resets(superd, way):
    if shares_its_socket(way) or way.row["name"] == "adaptive":
        pytest.skip("each door has one")
    program = superd({"echo": way.service(deny=["127.0.0.1"], refused="tarpit", tarpit_time="1h")})
    with contextlib.ExitStack() as sockets:
        for _ in range(256):
            sockets.enter_context(program.connect("echo", source=OFFENDER))
        for _ in range(5):
            assert is_reset(lambda: program.connect("echo", source=OFFENDER))
        assert is_served(program, CROWD[0])
        counters = program.wait_for("echo", tarpit_full=5)
        assert counters["tarpitted"] <= 256


@every_way()
@pytest.mark.parametrize("refused", ["reset", "close", "tarpit"])
def test_banners_come_first(superd, way, refused, tmp_path):
    words = tmp_path / "words"
    words.write_text("not you\r\n")
    program = superd({"echo": way.service(deny=["127.0.0.1"], refused=refused, tarpit_time="100ms",
                                          banner="welcome\r\n", banner_refused=f"@{words}", workers=1)})
    with program.connect("echo", source=CROWD[0]) as client:
        assert recv_exactly(client, 9) == b"welcome\r\n"
        assert is_echoed(client)
    with program.connect("echo", source=OFFENDER) as client:
        assert recv_exactly(client, 9) == b"not you\r\n"
        if refused == "tarpit":
            poll_until(lambda: is_served_after_banner(program) and has_bytes(client))
        assert client.recv(1) == b""


def is_served_after_banner(program):
    with program.connect("echo", source=CROWD[0]) as client:
        return recv_exactly(client, 9) == b"welcome\r\n"


@every_way()
def test_who_is_refused_is_told_in_few_lines(superd, way):
    program = superd({"echo": way.service(deny=["127.0.0.1"], workers=1)})
    for _ in range(30):
        assert is_refused(program, "echo")
    program.wait_for("echo", refused_access=30)
    assert 1 <= len(program.events("refused")) <= 15


def busy_for(seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


@pytest.mark.parametrize("when_full", ["wait", "refuse"])
def test_a_busy_machine_lets_nobody_new_in(superd, when_full):
    def has_load():
        with open("/proc/loadavg") as load:
            if float(load.read().split()[0]) > 0.02:
                return True
        busy_for(1)
        return False

    poll_until(has_load, seconds=60, what="the machine is busy")
    program = superd({"echo": {"max_load": 0.01, "when_full": when_full}, "other": {"handler": "echo"}})
    if when_full == "refuse":
        assert is_refused(program, "echo")
        assert program.wait_for("echo", refused_load=1)
    else:
        with program.connect("echo") as client:
            client.sendall(b"me")
            program.wait_for("echo", overloaded=2)
            assert not has_bytes(client)
    assert is_served(program, OFFENDER, "other")


@every_way()
def test_new_bounds_hold_without_a_restart(superd, way):
    program = superd({"echo": way.service(workers=2)})
    assert is_served(program, OFFENDER)
    program.services["echo"].update(deny=["127.0.0.1"], banner="hello\r\n")
    program.config.write_text(program.config_text())
    program.send_signal(signal.SIGHUP)
    assert program.wait_for_event("reloaded")["not_changed"] == 0
    poll_until(lambda: not is_served(program, OFFENDER), what="nobody from there any more")
    with program.connect("echo", source=CROWD[0]) as client:
        assert recv_exactly(client, 7) == b"hello\r\n"


@every_way()
def test_the_overall_level_bounds_all_services_together(superd, way):
    if way.serves_one_at_a_time:
        pytest.skip("one at a time")
    program = superd({name: way.service(workers=4) for name in ("one", "two")}, settings={"overall_level": 3})
    with contextlib.ExitStack() as sockets:
        inside = [sockets.enter_context(program.connect(name)) for name in ("one", "one", "two")]
        assert all(is_echoed(client) for client in inside)
        waiting = sockets.enter_context(program.connect("two"))
        waiting.sendall(b"me")
        program.wait_for("two", full=1)
        assert not has_bytes(waiting)
        inside[0].close()
        assert recv_exactly(waiting, 2) == b"me"
