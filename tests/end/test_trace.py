"""superctl trace, over three routers of its own, beside traceroute."""

import json
import re

import pytest

from routers import NOBODY, Row

PROTOCOLS = ["icmp", "udp", "tcp"]


@pytest.fixture(scope="module")
def row():
    """A link beyond the second router takes 15 ms each way."""
    with Row(routers=3, slow_link=2, slow_options=("--delay", "0.015")) as built:
        built.introduce()
        yield built


@pytest.fixture
def plain():
    with Row(routers=2) as built:
        built.introduce()
        yield built


def hops(row, *arguments, code=0, user=()):
    told = json.loads(row.superctl("trace", *arguments, "--json", code=code, user=user).stdout)
    return told, told["hops"]


def addresses_of(hop):
    return {probe["address"] for probe in hop["probes"]}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_router_and_the_target_are_told_with_their_times(row, protocol, version):
    told, found = hops(row, row.address(4, version), "--protocol", protocol)
    assert told["reached"]
    assert [addresses_of(hop) for hop in found] == [{row.address(node, version)} for node in (1, 2, 3, 4)]
    assert [hop["answered"] for hop in found] == [3] * 4
    for hop in found[2:]:
        assert min(probe["ms"] for probe in hop["probes"]) >= 30, "the slow link is on the way"
    # What is known to be slow is not what others are: each hop has its own times.
    assert min(probe["ms"] for probe in found[1]["probes"]) < 30


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_finds_what_traceroute_finds(row, needs, protocol):
    needs("traceroute")
    how = {"icmp": "-I", "udp": "-U", "tcp": "-T"}[protocol]
    theirs = re.findall(r"^ *\d+ +(\S+)", row.run(0, "traceroute", "-n", how, row.target).stdout, re.MULTILINE)
    ours = row.superctl("trace", row.target, "--protocol", protocol).stdout
    assert re.findall(r"^ *\d+ +(\S+)", ours, re.MULTILINE) == theirs == [row.address(node) for node in (1, 2, 3, 4)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_needs_no_privilege(row, protocol):
    row.allow_ping_sockets()
    told, found = hops(row, row.target, "--protocol", protocol, user=NOBODY)
    assert told["by"] == {"icmp": "ICMP over a ping socket", "udp": "UDP", "tcp": "TCP"}[protocol]
    assert len(found) == 4


def test_without_permission_it_says_what_is_needed_for_icmp(plain):
    plain.run(0, "sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
    told = plain.superctl("trace", plain.target, code=1, user=NOBODY).stderr
    assert "net.ipv4.ping_group_range" in told and "CAP_NET_RAW" in told


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_routers_that_limit_their_errors_are_not_asked_more_than_they_allow(plain, protocol):
    """Linux allows six at once to a host, and one a second after."""
    for node in range(4):
        plain.run(node, "sysctl", "-qw", "net.ipv4.icmp_ratelimit=1000")
    _, found = hops(plain, plain.target, "--protocol", protocol)
    assert [(hop["answered"], [probe["sent"] for probe in hop["probes"]]) for hop in found] == [(3, [1, 1, 1])] * 3


def test_a_probe_that_is_lost_is_sent_once_more(plain):
    plain.filter(1, "output", "icmp type time-exceeded numgen inc mod 4 0 drop")
    _, found = hops(plain, plain.target, "--protocol", "udp", "--timeout", "200ms")
    assert [hop["answered"] for hop in found] == [3, 3, 3]
    assert sorted(probe["sent"] for probe in found[0]["probes"]) == [1, 1, 2]


def test_a_silent_router_is_a_line_and_not_the_end(plain):
    plain.filter(1, "output", "icmp type time-exceeded drop")
    told = plain.superctl("trace", plain.target, "--timeout", "200ms").stdout.splitlines()
    assert told[0] == " 1  no answer"
    assert [line.split()[1] for line in told[1:]] == [plain.address(2), plain.target]


def test_a_silent_target_is_given_up(plain):
    plain.filter(3, "input", "meta l4proto { icmp, udp, tcp } drop")
    told = plain.superctl("trace", plain.target, "--timeout", "200ms", code=1).stdout.splitlines()
    assert [line.split()[1] for line in told[:2]] == [plain.address(1), plain.address(2)]
    assert told[2:] == [" 3-30  no answer"]


def test_a_router_without_a_way_ends_it(plain):
    plain.run(2, "ip", "route", "add", "prohibit", "10.99.0.9")
    for node in (0, 1):
        plain.run(node, "ip", "route", "add", "10.99.0.9", "via", plain.address(node + 1))
    told = plain.superctl("trace", "10.99.0.9", code=1).stdout.splitlines()
    assert len(told) == 2
    assert told[1].split()[1] == plain.address(2)
    assert told[1].endswith("prohibited by a filter")


def test_an_open_port_and_a_closed_one_are_both_the_target(plain):
    for port in ("80", "9"):
        told, found = hops(plain, plain.target, "--protocol", "tcp", "--port", port)
        assert told["reached"] and len(found) == 3


def test_names_are_told_on_wish(plain):
    without = plain.superctl("trace", "127.0.0.1").stdout
    named = plain.superctl("trace", "127.0.0.1", "--names").stdout
    assert "(127.0.0.1)" not in without
    assert "localhost (127.0.0.1)" in named
