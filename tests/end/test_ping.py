"""superctl ping: on loopback and in networks of its own, beside the pings of others."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess

import pytest

from harness import BUILD, poll_until
from routers import NOBODY, Row

QUICK = ("-i", "5ms", "--timeout", "300ms")


@pytest.fixture(scope="module")
def row():
    with Row(routers=1) as built:
        built.introduce()
        yield built


@pytest.fixture(scope="module")
def alone():
    """A host without neighbours."""
    with Row() as built:
        yield built


@pytest.fixture(params=["ping", "raw"])
def socket_kind(request, alone):
    """Over each kind of socket: the one needs the sysctl and no capability, the other one the capability."""
    allowed = "0 2147483647" if request.param == "ping" else "1 0"
    alone.run(0, "sysctl", "-qw", f"net.ipv4.ping_group_range={allowed}")
    return request.param


@pytest.fixture
def ping(alone, socket_kind):
    def run(*arguments, code=0):
        done = alone.superctl("ping", *arguments, code=code, user=NOBODY if socket_kind == "ping" else ())
        if "--json" not in arguments and "-q" not in arguments:
            assert f"over a {socket_kind} socket" in done.stderr
        return done.stdout

    return run


# --- one target, a few, a network ---


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_host_that_answers_is_told_with_each_time_and_a_histogram(ping, address):
    told = ping(address, "-c", 4, *QUICK)
    lines = re.findall(rf"^{address} #\d \d+\.\d{{3}} ms, ttl 64$", told, re.MULTILINE)
    assert len(lines) == 4
    assert f"{address}: 4 sent, 4 received, 0 % lost" in told
    least, mean, most, _ = map(float, re.search(r"min/avg/max/stddev ([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+) ms", told).groups())
    assert 0 < least <= mean <= most
    assert sum(map(int, re.findall(r"^  up to +[\d.]+ ms +(\d+) #+$", told, re.MULTILINE))) == 4


def test_targets_of_both_families_are_asked_together(ping):
    told = json.loads(ping("127.0.0.1", "::1", "127.0.0.2", "-c", 2, "--json", *QUICK))
    assert [(host["target"], host["received"]) for host in told["hosts"]] == [("127.0.0.1", 2), ("::1", 2), ("127.0.0.2", 2)]
    assert told["sent"] == told["received"] == 6
    assert sorted(told["socket"]) == ["v4", "v6"]


@pytest.mark.parametrize("rate", [0, 20_000])
def test_a_network_is_asked_host_by_host_and_none_is_lost(ping, rate):
    told = ping("127.9.0.0/22", "--rate", rate)
    lines = re.findall(r"^(127\.9\.\d+\.\d+) \d+\.\d{3} ms$", told, re.MULTILINE)
    assert len(set(lines)) == len(lines) == 1022
    assert "1022 targets: 1022 answered, 0 silent, 0 unreachable" in told


def test_a_network_in_json_has_a_line_for_each_host(ping):
    told = json.loads(ping("127.9.0.0/24", "--rate", 0, "--json"))
    assert told["targets"] == told["answered"] == len(told["hosts"]) == 254
    assert told["lost"] == told["duplicates"] == told["damaged"] == told["strange"] == 0
    assert sum(bar["count"] for bar in told["histogram"]) == 254


@pytest.mark.parametrize("size", [24, 1000, 20_000, 60_000])
def test_requests_have_the_size_that_is_asked_for(ping, alone, size):
    seen = count_bytes(alone, lambda: ping("127.0.0.1", "-c", 1, "-s", size))
    assert seen == 20 + 8 + size


def count_bytes(row, doing):
    """Of what leaves over lo as ICMP echo requests; fragments are put together before they are counted."""
    row.shell(0, "nft add table ip t", "nft add chain ip t input '{ type filter hook input priority 0; }'",
              "nft add rule ip t input icmp type echo-request counter")
    try:
        doing()
        return int(re.search(r"bytes (\d+)", row.run(0, "nft", "list", "table", "ip", "t").stdout).group(1))
    finally:
        row.run(0, "nft", "delete", "table", "ip", "t")


def test_a_name_is_told_with_its_address(ping):
    assert "localhost (127.0.0.1) #1 " in ping("-4", "localhost", "-c", 1)


def test_own_requests_are_no_answers(ping, alone):
    alone.run(0, "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1")
    try:
        told = json.loads(ping("127.0.0.1", "-c", 3, "--json", *QUICK, code=1))
    finally:
        alone.run(0, "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0")
    assert (told["sent"], told["received"], told["lost"], told["silent"]) == (3, 0, 3, 1)


def test_two_at_once_do_not_take_each_others_answers(alone, socket_kind):
    command = ["ip", "netns", "exec", alone.namespace(0), *(NOBODY if socket_kind == "ping" else ()),
               str(BUILD / "superctl"), "ping", "127.9.0.0/22", "--rate", "20000", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    for told in (json.loads(process.communicate()[0]) for process in both):
        assert told["received"] == 1022
        assert told["strange"] == told["duplicates"] == 0


# --- what goes wrong ---


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", ["ping", "raw"])
def test_who_sends_an_error_is_told(row, kind, version):
    row.run(0, "sysctl", "-qw", "net.ipv4.ping_group_range=" + ("0 2147483647" if kind == "ping" else "1 0"))
    user = NOBODY if kind == "ping" else ()
    router, target = row.address(1, version), row.address(2, version)
    passed = row.superctl("ping", target, "-c", 2, "--ttl", 1, *QUICK, code=1, user=user)
    assert passed.stdout.count(f"#1 time exceeded in transit, by {router}\n") == 1
    assert f"time exceeded in transit, by {router}: 2" in passed.stdout

    gone = "10.99.0.9" if version == 4 else "fd99::9"
    row.run(1, "ip", "route", "replace", gone, "via", target)
    row.run(0, "ip", "route", "replace", gone, "via", router)
    row.run(1, "nft", "add table inet gone; flush table inet gone; add chain inet gone forward "
            "{ type filter hook forward priority 0; }; add rule inet gone forward " +
            (f"ip daddr {gone} reject with icmp type host-unreachable" if version == 4 else
             f"ip6 daddr {gone} reject with icmpv6 type no-route"))
    told = json.loads(row.superctl("ping", gone, target, "-c", 2, "--json", *QUICK, code=1, user=user).stdout)
    assert (told["answered"], told["unreachable"], told["silent"]) == (1, 1, 0)
    assert told["failures"] == [{"what": told["failures"][0]["what"], "by": router, "count": 2}]
    assert told["failures"][0]["what"] == ("host unreachable" if version == 4 else "no route") + f", by {router}"


def test_what_this_host_refuses_is_told_as_its_own(alone):
    alone.run(0, "ip", "route", "replace", "prohibit", "10.98.0.9")
    told = alone.superctl("ping", "10.98.0.9", "10.97.0.9", "-c", 1, code=1).stdout
    assert re.search(r"^10\.97\.0\.9 #1 this host: network is unreachable$", told, re.MULTILINE)
    assert re.search(r"^10\.98\.0\.9 #1 this host: ", told, re.MULTILINE)


def test_a_silent_target_costs_its_timeout_and_is_told(row):
    row.run(2, "nft", "add table ip silent; add chain ip silent in { type filter hook input priority 0; }; "
            "add rule ip silent in icmp type echo-request drop")
    try:
        told = row.superctl("ping", row.target, "-c", 2, *QUICK, code=1).stdout
    finally:
        row.run(2, "nft", "delete", "table", "ip", "silent")
    assert told.count("no answer within 300ms\n") == 2
    assert "2 sent, 0 received, 100 % lost" in told


@contextlib.contextmanager
def loss_of_one_in(row, count):
    row.run(2, "nft", f"add table ip loss; add chain ip loss in {{ type filter hook input priority 0; }}; "
            f"add rule ip loss in icmp type echo-request numgen inc mod {count} 0 drop")
    try:
        yield
    finally:
        row.run(2, "nft", "delete", "table", "ip", "loss")


def test_losses_are_counted_as_ping_counts_them(row, needs):
    needs("ping")
    with loss_of_one_in(row, 4):
        ours = json.loads(row.superctl("ping", row.target, "-c", 40, "--json", *QUICK).stdout)
    with loss_of_one_in(row, 4):
        theirs = row.run(0, "ping", "-c", 40, "-i", "0.005", "-W", "1", row.target).stdout
    assert (ours["sent"], ours["received"], ours["lost"]) == (40, 30, 10)
    assert "40 packets transmitted, 30 received, 25% packet loss" in theirs


def test_a_network_is_found_as_fping_finds_it(row, needs):
    needs("fping")
    network = "10.77.2.0/28"
    theirs = row.run(0, "fping", "-a", "-q", "-r", "0", "-t", "300", "-g", network, check=False).stdout.split()
    ours = row.superctl("ping", network, "--timeout", "300ms", code=1).stdout
    assert re.findall(r"^([\d.]+) [\d.]+ ms$", ours, re.MULTILINE) == theirs == ["10.77.2.1", "10.77.2.2"]
    assert "14 targets: 2 answered, 12 " in ours


@pytest.mark.parametrize("kind", ["ping", "raw"])
def test_doubled_answers_are_counted_once(kind):
    with Row(slow_link=0, slow_options=("--double",)) as doubling:
        if kind == "ping":
            doubling.allow_ping_sockets()
        # Each request arrives twice, and each of the two answers does: four for one, as long as somebody listens.
        told = json.loads(doubling.superctl("ping", doubling.target, "-c", 10, "-i", "20ms", "--json").stdout)
    assert told["received"] == 10
    assert 27 <= told["duplicates"] <= 30


def test_an_answer_with_a_wrong_checksum_is_none(needs):
    with Row(slow_link=0, slow_options=("--damage",)) as damaging:
        told = json.loads(damaging.superctl("ping", damaging.target, "-c", 3, "--json", *QUICK, code=1).stdout)
    assert (told["received"], told["damaged"], told["socket"]) == (0, 3, {"v4": "raw"})


def test_times_contain_the_way(needs):
    with Row(slow_link=0, slow_options=("--delay", "0.03")) as slow:
        told = json.loads(slow.superctl("ping", slow.target, "-c", 3, "-i", "10ms", "--json").stdout)
    assert told["received"] == 3
    assert told["min_ms"] >= 60


# --- what may be done, and how it is said ---


def test_without_any_permission_it_says_what_is_needed(alone):
    alone.run(0, "sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
    for address in ("127.0.0.1", "::1"):
        told = alone.superctl("ping", address, code=1, user=NOBODY).stderr
        assert "net.ipv4.ping_group_range" in told and "CAP_NET_RAW" in told
        assert told.count("\n") == 1


@pytest.mark.parametrize("arguments, remedy", [
    (("10.0.0.1/8",), "10.0.0.0/8"),
    (("10.0.0.0/7",), "name smaller networks"),
    (("-6", "127.0.0.1"), "no IPv6 address"),
    (("-4", "-6", "localhost"), "-4"),
    (("127.0.0.1", "-s", "23"), "24"),
    (("127.0.0.1", "-i", "soon"), "500ms"),
    ((), "TARGET"),
])
def test_misuse_is_told_with_what_would_be_right(arguments, remedy):
    done = subprocess.run([BUILD / "superctl", "ping", *arguments], text=True, capture_output=True)
    assert done.returncode == 100
    assert remedy in done.stderr


def test_an_interrupt_brings_the_summary(alone):
    process = subprocess.Popen(["ip", "netns", "exec", alone.namespace(0), BUILD / "superctl", "ping", "127.0.0.1", "-c", "0",
                                "-i", "10ms"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for number in range(1, 6):
        assert f"#{number} " in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    told = process.communicate()[0]
    assert process.returncode == 0
    assert " 0 % lost\n" in told and "min/avg/max/stddev" in told


def test_an_interrupt_ends_a_sweep_at_full_rate(alone):
    process = subprocess.Popen(["ip", "netns", "exec", alone.namespace(0), BUILD / "superctl", "ping", "127.0.0.0/8", "--rate",
                                "0", "-q"], stdout=subprocess.PIPE, text=True)
    poll_until(lambda: "SigBlk:\t0000000000004002" in open(f"/proc/{process.pid}/status").read(), what="it has begun")
    process.send_signal(signal.SIGINT)
    assert " not asked\n" in process.communicate()[0]
    assert process.returncode == 1


def test_a_terminal_sees_how_far_it_is(alone):
    terminal, its_side = pty.openpty()
    process = subprocess.Popen(["ip", "netns", "exec", alone.namespace(0), BUILD / "superctl", "ping", "127.9.0.0/24", "--rate",
                                "500"], stdout=subprocess.PIPE, stderr=its_side)
    os.close(its_side)
    told = process.communicate()[0].decode()
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert re.search(r"254 targets: \d+ sent, \d+ answered, 0 unreachable", seen)
    assert "\x1b" not in told
