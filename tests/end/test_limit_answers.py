"""Answers over UDP are no weapon: who is never answered, how often a network is, and with how much (faults 44 to 47)."""

import contextlib
import os
import signal
import socket
import time

import pytest

from fault_tools import (WAYS, every_way, forge, in_own_network, needs_namespaces, needs_raw_sockets, network_of,
                         services_of_every_way)
from harness import IS_SANITIZED, datagram_socket, has_bytes, poll_until
from places import Place

# Whoever is there answers back: echo, discard, systat, daytime, qotd, chargen, time, DNS, TFTP, NTP.
ANSWERING_PORTS = (7, 9, 11, 13, 17, 19, 37, 53, 69, 123)

# An address that nothing else uses: the ports are free there.
STRANGER = "127.77.7.7"


def asks_from(superd, service, source, request=b"hello"):
    """Sends from that address, and leaves the socket open."""
    place = superd.place(service, "udp")
    client = datagram_socket(place.family, place.address, source=source)
    client.send(request)
    return client


def answered_in_order(superd, service, count):
    """An ordinary client, after the others; its answer shows that theirs, if there were any, have left too."""
    assert superd.ask(service, b"last", source=("127.0.0.1", 0)) == b"last"
    return superd.wait_for(service, received=count + 1, answered=1)


@every_way()
def test_a_port_that_would_answer_back_gets_no_answer(superd, way):
    program = superd({"echo": way.service(listen=["udp"], workers=1)})
    with contextlib.ExitStack() as sockets:
        try:
            clients = [sockets.enter_context(asks_from(program, "echo", (STRANGER, port))) for port in ANSWERING_PORTS]
        except PermissionError:
            pytest.skip("ports below 1024 are not permitted here")
        counters = answered_in_order(program, "echo", len(clients))
        assert counters["dropped_source"] == len(clients) and counters["answered"] == 1
        assert not any(has_bytes(client) for client in clients)


@needs_raw_sockets
@every_way()
def test_a_loop_between_two_echo_ports_dies_at_once(superd, way):
    program = superd({"one": way.service(listen=["udp"], workers=1), "two": way.service(listen=["udp"], workers=1)})
    one, two = program.place("one").address, program.place("two").address
    for source, to in ((one, two), (two, one), (one, one), (("127.5.5.5", two[1]), one)):
        forge(source, to)
    for service, forged in (("one", 3), ("two", 1)):
        counters = answered_in_order(program, service, forged)
        assert counters["dropped_source"] == forged
        assert (counters["received"], counters["answered"]) == (forged + 1, 1)


@needs_raw_sockets
@every_way()
def test_a_loop_between_echo_ports_of_two_hosts_dies_at_once(superd, way):
    program = superd({name: way.service(handler="echo", listen=["udp"], workers=1, isolate=True)
                      for name in ("one", "two")})

    def assert_no_loop(source, to):
        before = program.counters(to)
        forge(program.place(source).address, program.place(to).address)
        after = program.wait_for(to, dropped_source=before["dropped_source"] + 1)
        assert after["answered"] == before["answered"]

    assert_no_loop("one", "two")
    assert_no_loop("two", "one")
    # One that comes later is known to the hosts that were there.
    program.services["three"] = way.service(handler="echo", listen=["udp"], workers=1, isolate=True)
    program.places["three"] = [Place("udp", program.folder / "three.sock")]
    program.config.write_text(program.config_text())
    program.send_signal(signal.SIGHUP)
    program.wait_for_event("listening", service="three")
    program.wait_for_event("reloaded")
    assert_no_loop("three", "one")
    # A host that is started anew knows them all.
    os.kill(poll_until(lambda: program.processes_called("superd:one"), what="a host")[0], signal.SIGKILL)
    program.wait_for_event("a host was replaced")
    assert_no_loop("two", "one")


@needs_raw_sockets
@needs_namespaces
@every_way(but=lambda way: way.engine not in (None, "epoll"))
def test_the_machines_own_addresses_beside_loopback_are_known(superd, way):
    wrapper = in_own_network("ip addr add 10.7.7.7/32 dev lo", "ip addr add 10.7.7.8/32 dev lo")
    program = superd({"echo": way.service(listen=["udp/0.0.0.0:{port}", "udp"], workers=1)}, wrapper=wrapper)
    port, other = program.port("echo", "udp/0.0.0.0:{port}"), program.port("echo", "udp")
    with network_of(program.pid):
        forge(("10.7.7.8", other), ("10.7.7.7", port))
        forge(("10.7.7.7", port), ("10.7.7.7", port))
        # The same port at somebody else's address is nobody we know; though there is no way to answer it here.
        forge(("10.7.7.99", port), ("10.7.7.7", port))
        with datagram_socket(socket.AF_INET, ("10.7.7.7", port)) as client:
            client.send(b"last")
            assert client.recv(100) == b"last"
    counters = program.wait_for("echo", received=4, answered=1, failed_answer=1)
    assert (counters["received"], counters["dropped_source"]) == (4, 2)


IMPOSSIBLE_SOURCES = {
    "port 0": ("127.0.0.1", 0),
    "multicast": ("224.0.0.1", 5000),
    "broadcast": ("255.255.255.255", 5000),
}


@needs_raw_sockets
@every_way()
@pytest.mark.parametrize("name", IMPOSSIBLE_SOURCES)
def test_a_source_that_nobody_can_have_gets_no_answer(superd, way, name):
    program = superd({"echo": way.service(listen=["udp"], workers=1)})
    forge(IMPOSSIBLE_SOURCES[name], program.place("echo").address)
    assert program.ask("echo", b"last") == b"last"
    counters = program.wait_for("echo", answered=1)
    if counters["received"] == 1:
        pytest.skip("the kernel lets no datagram from there in")
    assert (counters["received"], counters["dropped_source"], counters["answered"]) == (2, 1, 1)
    assert counters["failed_answer"] == 0


@needs_raw_sockets
@needs_namespaces
def test_the_broadcast_address_of_an_own_network_gets_no_answer(superd):
    program = superd({"echo": {"listen": ["udp/0.0.0.0:{port}"]}}, wrapper=in_own_network(
        "ip link add here type veth peer name there", "ip addr add 10.7.7.7/24 broadcast 10.7.7.255 dev here", "ip link set here up", "ip link set there up"))
    port = program.port("echo")
    with network_of(program.pid):
        forge(("10.7.7.255", 5000), ("10.7.7.7", port))
        with datagram_socket(socket.AF_INET, ("10.7.7.7", port)) as client:
            client.send(b"last")
            assert client.recv(100) == b"last"
    counters = program.wait_for("echo", answered=1)
    if counters["received"] == 1:
        pytest.skip("the kernel lets no datagram from there in")
    # Dropped by us, or refused by the kernel at the answer: a broadcast needs SO_BROADCAST. Never sent.
    assert counters["dropped_source"] + counters["failed_answer"] == 1 and counters["answered"] == 1


@every_way()
def test_a_network_gets_no_more_answers_than_its_rate_and_another_is_not_touched(superd, way):
    rate, asked = 20, 100
    program = superd({"echo": way.service(listen=["udp"], workers=1, trusted=[], answer_rate=rate)})
    begun = time.monotonic()
    with contextlib.ExitStack() as sockets:
        place = program.place("echo")
        clients = [sockets.enter_context(datagram_socket(place.family, place.address, source=(f"127.0.0.{n}", 0)))
                   for n in range(1, 6)]
        for number in range(asked):
            clients[number % len(clients)].send(b"hello")
        counters = program.wait_for("echo", received=asked)
        elapsed = time.monotonic() - begun
        answered = program.wait_for("echo", answered=asked - counters["dropped_rate"])["answered"]
        assert rate <= answered <= rate + elapsed * rate
        assert answered + counters["dropped_rate"] == asked
        assert program.ask("echo", b"from elsewhere", source=("127.0.1.1", 0)) == b"from elsewhere"


@needs_namespaces
def test_a_slash_56_is_one_network(superd):
    addresses = ["2001:db8:0:100::1", "2001:db8:0:1ff::1", "2001:db8:0:200::1"]
    wrapper = in_own_network(*(f"ip -6 addr add {address}/128 dev lo nodad" for address in addresses))
    program = superd({"echo": {"listen": ["udp/[::]:{port}"], "answer_rate": 5}}, wrapper=wrapper)
    with network_of(program.pid):
        clients = [datagram_socket(socket.AF_INET6, ("::1", program.port("echo")), source=(address, 0))
                   for address in addresses]
    with contextlib.ExitStack() as sockets:
        first, same, other = [sockets.enter_context(client) for client in clients]
        for _ in range(50):
            first.send(b"hello")
            same.send(b"hello")
        counters = program.wait_for("echo", received=100)
        assert counters["dropped_rate"] >= 80
        other.send(b"from elsewhere")
        assert other.recv(100) == b"from elsewhere"


@every_way()
def test_an_unverified_source_gets_no_more_than_a_multiple_of_what_it_sent(superd, way):
    draws = 40
    settings = {"listen": ["udp"], "workers": 1, "trusted": [], "answer_rate": 1_000_000}
    program = superd({"chargen": way.service(handler="chargen", **settings),
                      "qotd": way.service(handler="qotd", **settings)})
    longest = {}
    with program.datagrams("chargen") as chargen, program.datagrams("qotd") as qotd:
        for size in (0, 1, 10, 100, 1000):
            for _ in range(draws):
                chargen.send(bytes(size))
                answer = chargen.recv(65507)
                assert len(answer) <= min(512, 3 * size + 64)
                longest[size] = max(longest.get(size, 0), len(answer))
            qotd.send(bytes(size))
            assert 0 < len(qotd.recv(65507)) <= 3 * size + 64
    # The bound is used: of forty random lengths one is longer than half of it.
    assert longest[0] > 32 and longest[1000] > 256


@every_way()
def test_a_lower_amplification_is_kept(superd, way):
    program = superd({"chargen": way.service(handler="chargen", listen=["udp"], trusted=[], amplification=1,
                                             answer_rate=1_000_000)})
    with program.datagrams("chargen") as client:
        for _ in range(40):
            client.send(bytes(100))
            assert len(client.recv(65507)) <= 164


@every_way()
def test_the_loopback_is_trusted_unless_it_is_said_otherwise(superd, way):
    program = superd({"chargen": way.service(handler="chargen", listen=["udp"], workers=1, answer_rate=1)})
    with program.datagrams("chargen") as client:
        answers = []
        for _ in range(60):
            client.send(b"x")
            answers.append(len(client.recv(65507)))
    counters = program.wait_for("chargen", answered=60)
    assert counters["dropped_rate"] == counters["suppressed_answer"] == 0
    # Any length up to 512 is as likely as any other.
    assert max(answers) > 67


def test_many_forged_networks_cost_no_memory_and_no_answer_of_others(superd):
    program = superd(services_of_every_way(listen=["udp"], trusted=["127.1.0.0/16"], answer_rate=10))
    for way in WAYS:
        place = program.place(way.name)
        before = program.resident_bytes()
        sent = 0
        for high in range(2, 10):
            for low in range(0, 250):
                with datagram_socket(place.family, place.address, source=(f"127.{high}.{low}.1", 0)) as client:
                    client.send(b"one of many")
                    sent += 1
        poll_until(lambda: program.counters(way.name)["received"] >= sent, what="all of them")
        # A sanitizer keeps what was freed.
        assert IS_SANITIZED or program.resident_bytes() - before < 8 << 20
        assert program.ask(way.name, b"trusted", source=("127.1.2.3", 0)) == b"trusted"
        assert program.ask(way.name, b"new", source=("127.200.2.3", 0)) == b"new"
