"""Groups, broadcasts and beacons, between network namespaces."""

import json
import os
import socket
import struct

import pytest

from harness import BUILD, PATIENCE, every_way, run_superd
from hosts import two_hosts
from places import toml
from test_reload import hang_up, reload, rewrite

GROUP, GROUP6, PORT = "239.1.2.3", "ff15::1234", 5000


@pytest.fixture
def hosts():
    with two_hosts() as (server, client):
        for host in (server, client):
            host.run("ip", "route", "add", "224.0.0.0/4", "dev", "eth0")
        yield server, client


@pytest.fixture
def serve(hosts, superd):
    """Serves on the first host, by default an echo in a group."""
    def start(listen=(f"udp/0.0.0.0:{PORT}",), handler="echo", services=None, **settings):
        mine = {"handler": handler, "listen": list(listen), **settings}
        return superd({"it": mine, **(services or {})}, wrapper=hosts[0].wrapper)

    return start


def sender(host, family=socket.AF_INET):
    return host.socket(family, socket.SOCK_DGRAM)


def is_answered(client, group, port=PORT, text=b"anybody?"):
    client.settimeout(PATIENCE)
    client.sendto(text, (group, port))
    return client.recv(100) == text


def is_ignored(client, group, otherwise, port=PORT):
    """What is sent there is not answered, and what is sent elsewhere after it is."""
    client.sendto(b"nobody?", (group, port))
    client.sendto(b"but you", (otherwise, port))
    return client.recv(100) == b"but you"


def groups_of(host):
    return host.run("ip", "maddress", "show", "dev", "eth0").stdout


# --- groups ---


@pytest.mark.parametrize(**every_way())
def test_a_group_is_heard_under_every_design(hosts, superd, way):
    server, client = hosts
    superd({"it": {"handler": "echo", "listen": [f"udp/0.0.0.0:{PORT}"], "groups": [f"{GROUP}%eth0"], **way}},
           wrapper=server.wrapper)
    assert is_answered(sender(client), GROUP)


def test_the_answer_comes_from_an_address_of_the_server(hosts, serve):
    server, client = hosts
    serve(groups=[f"{GROUP}%eth0"])
    with sender(client) as asking:
        asking.sendto(b"anybody?", (GROUP, PORT))
        assert asking.recvfrom(100) == (b"anybody?", (server.address, PORT))


def test_a_group_of_ipv6_is_heard_and_one_of_ipv4_by_a_socket_of_both(hosts, serve):
    server, client = hosts
    serve(listen=[f"udp/{PORT}"], groups=[f"{GROUP}%eth0", f"{GROUP6}%eth0"])
    assert is_answered(sender(client), GROUP)
    with sender(client, socket.AF_INET6) as asking:
        scope = int(client.run("cat", "/sys/class/net/eth0/ifindex").stdout)
        asking.sendto(b"anybody?", (GROUP6, PORT, 0, scope))
        assert asking.recv(100) == b"anybody?"


def test_a_group_that_was_not_asked_for_is_not_heard(hosts, serve):
    server, client = hosts
    serve(groups=[f"{GROUP}%eth0"])
    with server.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:  # by another program of the same machine
        index = int(server.run("cat", "/sys/class/net/eth0/ifindex").stdout)
        other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         struct.pack("4s4si", socket.inet_aton("239.9.9.9"), bytes(4), index))
        assert is_ignored(sender(client), "239.9.9.9", otherwise=server.address)


def test_a_source_is_heard_and_no_other(hosts, serve):
    server, client = hosts
    client.run("ip", "address", "add", "10.99.0.77/24", "dev", "eth0")
    serve(groups=["10.99.0.77@232.1.1.1%eth0"])
    with sender(client) as right, sender(client) as wrong:
        right.bind(("10.99.0.77", 0))
        wrong.bind((client.address, 0))
        assert is_ignored(wrong, "232.1.1.1", otherwise=server.address)
        assert is_answered(right, "232.1.1.1")


def test_groups_come_and_go_by_reload(hosts, serve):
    server, client = hosts
    program = serve(groups=[f"{GROUP}%eth0"])
    assert GROUP in groups_of(server)
    reload(program, "it", groups=["239.4.4.4%eth0"])
    assert GROUP not in groups_of(server) and "239.4.4.4" in groups_of(server)
    assert is_ignored(sender(client), GROUP, otherwise="239.4.4.4")
    program.cut()
    assert "239.4.4.4" not in groups_of(server)


def test_an_interface_that_is_not_there_refuses_a_reload_and_nothing_changes(hosts, serve):
    server, client = hosts
    program = serve(groups=[f"{GROUP}%eth0"])
    program.services["it"]["groups"] = ["239.4.4.4%eth7"]
    rewrite(program, program.config_text())
    hang_up(program, "not changed")
    assert "no interface has this name" in program.events("not changed")[-1]["why"]
    assert is_answered(sender(client), GROUP)


def test_what_cannot_be_is_told_in_a_line(tmp_path):
    def complaint(code=100, **settings):
        it = {"handler": "echo", "listen": ["udp/5000"], **settings}
        lines = [f"{key} = {toml(value)}" for key, value in it.items()]
        (tmp_path / "superd.toml").write_text("\n".join(["[service.it]", *lines, ""]))
        done = run_superd("--config", tmp_path / "superd.toml")
        assert done.returncode == code, done.stderr
        return done.stderr

    assert 'groups: "10.0.0.1" is not a group' in complaint(groups=["10.0.0.1"])
    assert "no listener of this service hears" in complaint(listen=["udp/127.0.0.1:5000"], groups=[GROUP])
    assert "is of udp listeners" in complaint(listen=["tcp/5000"], groups=[GROUP])
    assert "is of beacon alone" in complaint(announces=["echo udp/7"])
    assert "no interface has this name" in complaint(code=111, groups=[f"{GROUP}%eth7"])


def test_a_broadcast_is_heard(hosts, serve):
    server, client = hosts
    serve(broadcast=True)
    with sender(client) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asking.sendto(b"anybody?", ("10.99.0.255", PORT))
        assert asking.recv(100) == b"anybody?"


# --- beacons ---


BEACON_GROUP, BEACON_PORT = "239.255.83.68", 8368


def discover(host, *words, code=0):
    done = host.run(BUILD / "superctl", "discover", "--wait", "300ms", *words, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture
def beacon(hosts, serve):
    def start(**settings):
        others = {"shout": {"handler": "echo", "listen": ["tcp/7007", "udp/7007"]},
                  "clock": {"handler": "time", "listen": ["tcp/127.0.0.1:7037"]}}
        return serve(listen=[f"udp/{BEACON_PORT}"], handler="beacon", groups=[f"{BEACON_GROUP}%eth0"], services=others,
                     **settings)

    return start


def test_discover_lists_what_is_served_there(hosts, beacon):
    server, client = hosts
    beacon()
    line = discover(client).splitlines()
    assert line == [f"{server.address}\t{os.uname().nodename}\tshout\ttcp/7007 udp/7007"], "and no clock of its own alone"


def test_discover_asks_a_host_that_is_named(hosts, beacon):
    server, client = hosts
    beacon()
    for address in (server.address, server.address6):
        found = json.loads(discover(client, "--json", address))
        assert [one["address"] for one in found] == [address]
        assert found[0]["services"] == [{"name": "shout", "listeners": ["tcp/7007", "udp/7007"]}]


def test_discover_finds_nobody(hosts):
    _, client = hosts
    assert discover(client, code=111) == ""
    assert discover(client, "--group", "10.0.0.1", code=100) == ""


def announced(client):
    """A socket in the beacons' group."""
    hearing = client.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hearing.bind((BEACON_GROUP, BEACON_PORT))
    hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                       socket.inet_aton(BEACON_GROUP) + socket.inet_aton(client.address))
    return hearing


def test_a_beacon_announces_and_takes_leave(hosts, beacon):
    server, client = hosts
    with announced(client) as hearing:
        program = beacon(announce_every="1s")
        for _ in range(2):
            text, (address, port) = hearing.recvfrom(2000)
            assert (address, port) == (server.address, BEACON_PORT)
            lines = text.decode().splitlines()
            assert lines[0] == "superd-beacon 1" and "every 1" in lines and "service shout tcp/7007 udp/7007" in lines
        assert program.wait_for("it", announced=2)
        program.cut()
        while "every 0" not in hearing.recv(2000).decode().splitlines():
            pass


def test_a_reload_is_announced_at_once(hosts, beacon):
    _, client = hosts
    with announced(client) as hearing:
        program = beacon(announce_every="1h")
        assert b"service late" not in hearing.recv(2000)
        rewrite(program, program.config_text() + '\n[service.late]\nhandler = "echo"\nlisten = ["tcp/7008"]\n')
        hang_up(program, "reloaded")
        while b"service late tcp/7008" not in hearing.recv(2000):
            pass


def test_a_short_query_gets_a_short_answer(hosts, beacon):
    server, client = hosts
    beacon(announces=[f"service-{i} tcp/{i + 1000}" for i in range(50)])
    with sender(client) as asking:
        asking.sendto(b"superd-beacon 1 query\n", (server.address, BEACON_PORT))
        answer = asking.recv(2000)
        assert len(answer) <= 22 * 10 + 64 and b"left-out" in answer
        asking.sendto(b"superd-beacon 1\nhost other\n", (server.address, BEACON_PORT))  # what beacons say is no query
        asking.sendto(b"superd-beacon 1 query\n".ljust(1200, b"\n"), (server.address, BEACON_PORT))
        assert len(asking.recv(2000)) > len(answer)
