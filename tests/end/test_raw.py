"""Raw listeners and the services at them, with real pings, between network namespaces. The kernel's own answers are off."""

import os
import re
import socket
import struct
import subprocess
import time

import pytest

from harness import PATIENCE, PROGRAM, every_way, poll_until, run_superd
from hosts import two_hosts
from packets import bpf, icmp, ip_echo, ipv4, payload
from test_reload import hang_up, rewrite

ICMP, IGMP, EXPERIMENT = 1, 2, 253


@pytest.fixture
def hosts():
    with two_hosts() as (server, client):
        server.sysctl(net__ipv4__icmp_echo_ignore_all=1, net__ipv6__icmp__echo_ignore_all=1)
        yield server, client


@pytest.fixture
def serve(hosts, superd):
    """Serves on the first host: serve("icmp-echo", ["raw/icmp"])."""
    def start(handler, listen, **settings):
        return superd({"it": {"handler": handler, "listen": listen, **settings}}, wrapper=hosts[0].wrapper)

    return start


def raw_socket(host, protocol=ICMP, family=socket.AF_INET):
    return host.socket(family, socket.SOCK_RAW, protocol)


def ask(client, destination, message):
    """What comes back from there to a message, without the header of IPv4."""
    client.sendto(message, (destination, 0))
    return next_from(client, destination)


def next_from(client, source):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        packet, whence = client.recvfrom(65536)
        if whence[0] == source:
            return payload(packet) if client.family == socket.AF_INET else packet
    raise AssertionError(f"nothing comes from {source}")


def is_answered(client, destination, body=b"and this one"):
    """A ping that is right is answered, and nothing else was in between."""
    client.sendto(icmp(8, body=body), (destination, 0))
    poll_until(lambda: next_from(client, destination) == icmp(0, body=body), what="an answer")
    return True


# --- icmp-echo ---


def test_ping_is_answered_and_the_kernel_is_silent(hosts, serve, needs):
    server, client = hosts
    ping = [needs("ping"), "-c3", "-i0.01", "-W1"]
    assert client.run(*ping, server.address, check=False).returncode == 1
    assert client.run(*ping, server.address6, check=False).returncode == 1
    program = serve("icmp-echo", ["raw/icmp", "raw6/icmp6"])
    for address in (server.address, server.address6):
        assert "3 received, 0% packet loss" in client.run(*ping, address).stdout
    counters = program.wait_for("it", served=6)
    assert counters["answered"] == counters["icmp_requests"] == 6
    assert counters["dropped_malformed"] == counters["dropped_checksum"] == counters["failed_answer"] == 0


def test_fping_is_answered_by_each_of_a_thousand(hosts, serve, needs):
    server, client = hosts
    server.run("ip", "route", "add", "local", "10.98.0.0/16", "dev", "lo")
    client.run("ip", "route", "add", "10.98.0.0/16", "via", server.address)
    serve("icmp-echo", ["raw/icmp"], answer_rate=1_000_000)
    done = client.run(needs("fping"), "-q", "-s", "-r0", "-i0.1", "-g", "10.98.0.1", "10.98.4.0", check=False)
    assert re.search(r"1024 alive\n", done.stderr), done.stderr


def test_an_answer_leaves_from_the_address_that_was_asked(hosts, serve):
    server, client = hosts
    server.run("ip", "address", "add", "10.99.0.77/24", "dev", "eth0")
    serve("icmp-echo", ["raw/icmp"])
    with raw_socket(client) as one:
        assert is_answered(one, "10.99.0.77")
        assert is_answered(one, server.address)


def test_fragments_come_as_one_packet(hosts, serve, needs):
    server, client = hosts
    serve("icmp-echo", ["raw/icmp", "raw6/icmp6"])
    for address in (server.address, server.address6):
        done = client.run(needs("ping"), "-c2", "-i0.01", "-s60000", address)
        assert "60008 bytes from" in done.stdout and " 0% packet loss" in done.stdout


def test_only_for_its_addresses_is_answered(hosts, serve):
    server, client = hosts
    for last in (70, 71, 80):
        server.run("ip", "address", "add", f"10.99.0.{last}/24", "dev", "eth0")
    program = serve("icmp-echo", ["raw/icmp"], addresses=["10.99.0.70/31"])
    with raw_socket(client) as one:
        for address in (server.address, "10.99.0.80"):
            one.sendto(icmp(8), (address, 0))
        assert is_answered(one, "10.99.0.70") and is_answered(one, "10.99.0.71")
    assert program.wait_for("it", answered=2)["dropped_address"] == 2


def test_a_damaged_ping_is_not_answered(hosts, serve):
    """The kernel delivers what is whole and wrong, and not what is shorter than a header of ICMP."""
    server, client = hosts
    program = serve("icmp-echo", ["raw/icmp", "raw6/icmp6"])
    with raw_socket(client) as one, raw_socket(client, 58, socket.AF_INET6) as six:
        one.sendto(icmp(8)[:-1] + b"!", (server.address, 0))
        one.sendto(icmp(8)[:7], (server.address, 0))
        assert is_answered(one, server.address)
        whole = struct.pack("!BBHHH", 128, 0, 0, 1, 2) + b"hello"
        six.sendto(whole, (server.address6, 0))
        poll_until(lambda: next_from(six, server.address6)[0] == 129, what="an answer")
    counters = program.wait_for("it", answered=2)
    assert counters["received"] == 3 and counters["dropped_checksum"] == 1
    assert counters["answered"] == 2


def test_groups_and_broadcasts_are_never_answered(hosts, serve, needs):
    server, client = hosts
    server.sysctl(net__ipv4__icmp_echo_ignore_broadcasts=0)
    program = serve("icmp-echo", ["raw/icmp", "raw6/icmp6"])
    with raw_socket(client) as one, raw_socket(client, 58, socket.AF_INET6) as six:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        one.setsockopt(socket.SOL_SOCKET, 25, b"eth0")  # SO_BINDTODEVICE
        for everybody in ("10.99.0.255", "255.255.255.255", "224.0.0.1"):
            one.sendto(icmp(8), (everybody, 0))
        six.sendto(struct.pack("!BBHHH", 128, 0, 0, 1, 2), ("ff02::1", 0, 0, client.interface))
        program.wait_for("it", received=4, dropped_address=4)
        assert is_answered(one, server.address)
    assert program.wait_for("it", served=5, answered=1)["answered"] == 1


def test_the_rate_of_a_prefix_holds(hosts, serve):
    server, client = hosts
    program = serve("icmp-echo", ["raw/icmp"], answer_rate=5)
    with raw_socket(client) as one:
        for _ in range(100):
            one.sendto(icmp(8), (server.address, 0))

        def is_all_accounted_for():
            counters = program.counters("it")
            return counters["answered"] + counters["dropped_rate"] == 100 and counters["answered"] < 50

        poll_until(is_all_accounted_for, what="a hundred pings are answered or dropped")


# --- every design ---


@pytest.mark.parametrize(**every_way())
def test_every_design_serves_packets(hosts, superd, needs, way):
    server, client = hosts
    services = {"ping": {"handler": "icmp-echo", "listen": ["raw/icmp", "raw6/icmp6"]},
                "own": {"handler": "ip-echo", "listen": ["raw/253"], "own_header": True}}
    program = superd({name: {**service, **way} for name, service in services.items()}, wrapper=server.wrapper)
    for address in (server.address, server.address6):
        done = client.run(needs("ping"), "-c20", "-i0.002", "-W2", address)
        assert "20 received" in done.stdout
    with raw_socket(client, EXPERIMENT) as one:
        for body in (b"", b"x", b"y" * 1400, bytes(range(256)) * 5):
            assert ask(one, server.address, ip_echo(body)) == ip_echo(body, kind=2)
    counters = program.wait_for("ping", answered=40)
    assert counters["answered"] == 40 and counters["failed"] == counters["crashed"] == counters["failed_answer"] == 0
    assert program.wait_for("own", answered=4)["failed_answer"] == 0


# --- what passes ---


def test_types_that_are_not_wanted_do_not_pass(hosts, serve):
    server, client = hosts
    program = serve("icmp-log", ["raw/icmp"], icmp_types=["timestamp-request", "0"])
    with raw_socket(client) as one:
        for kind in (8, 13, 0, 8):
            one.sendto(icmp(kind, body=b"\0" * 12), (server.address, 0))
        counters = program.wait_for("it", served=2)
        assert (counters["icmp_replies"], counters["icmp_others"], counters["icmp_requests"]) == (1, 1, 0)


def test_a_filter_sees_the_packet_from_its_header_on(hosts, serve):
    server, client = hosts
    # ldx 4*([0]&0xf); ldh [x+4]; jeq #0x4242: pass, else not
    program_text = bpf((0xB1, 0, 0, 0), (0x48, 0, 0, 4), (0x15, 0, 1, 0x4242), (6, 0, 0, 65535), (6, 0, 0, 0))
    program = serve("icmp-echo", ["raw/icmp"], filter=program_text)
    with raw_socket(client) as one:
        one.sendto(icmp(8, identifier=0x4241), (server.address, 0))
        assert ask(one, server.address, icmp(8, identifier=0x4242)) == icmp(0, identifier=0x4242)
    assert program.wait_for("it", received=1)["received"] == 1


def test_of_ipv6_a_filter_sees_what_is_behind_the_header(hosts, serve):
    server, client = hosts
    program_text = bpf((0x28, 0, 0, 4), (0x15, 0, 1, 0x4242), (6, 0, 0, 65535), (6, 0, 0, 0))  # ldh [4]
    program = serve("icmp-echo", ["raw6/icmp6"], filter=program_text)
    with raw_socket(client, 58, socket.AF_INET6) as one:
        for identifier in (0x4241, 0x4242):
            one.sendto(struct.pack("!BBHHH", 128, 0, 0, identifier, 1), (server.address6, 0))
        poll_until(lambda: one.recv(1000)[:1] == b"\x81", what="an answer")
    assert program.wait_for("it", received=1)["received"] == 1


def test_a_peer_is_the_only_one_who_is_heard(hosts, serve):
    server, client = hosts
    client.run("ip", "address", "add", "10.99.0.3/24", "dev", "eth0")
    program = serve("icmp-echo", ["raw/icmp"], peer="10.99.0.3")
    with raw_socket(client) as stranger, raw_socket(client) as peer:
        stranger.bind((client.address, 0))
        peer.bind(("10.99.0.3", 0))
        stranger.sendto(icmp(8), (server.address, 0))
        assert is_answered(peer, server.address)
    assert program.wait_for("it", received=1)["received"] == 1


def test_a_listener_of_one_address_hears_that_alone(hosts, serve):
    server, client = hosts
    server.run("ip", "address", "add", "10.99.0.77/24", "dev", "eth0")
    program = serve("icmp-echo", ["raw/10.99.0.77:icmp", "raw6/[fd00:99::1]:icmp6"])
    with raw_socket(client) as one:
        one.sendto(icmp(8), (server.address, 0))
        assert is_answered(one, "10.99.0.77")
    assert program.wait_for("it", received=1)["received"] == 1


def test_a_listener_of_an_interface_hears_that_alone(hosts, serve):
    server, client = hosts
    program = serve("icmp-echo", ["raw/*%eth0:icmp"])
    with raw_socket(client) as one, raw_socket(server) as inside:
        inside.sendto(icmp(8), ("127.0.0.1", 0))
        assert is_answered(one, server.address)
    assert program.wait_for("it", received=1)["received"] == 1


# --- what is logged ---


def test_pings_traces_and_reports_are_counted_and_logged(hosts, serve):
    server, client = hosts
    program = serve("icmp-log", ["raw/icmp", "raw6/icmp6"])
    with raw_socket(client) as one:
        one.sendto(icmp(8), (server.address, 0))
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        one.sendto(icmp(8), (server.address, 0))
        quoted = ipv4(server.address, "192.0.2.9", 17, struct.pack("!HHHH", 4000, 53, 8, 0), total=28)
        one.sendto(icmp(3, 3, 0, 0, quoted), (server.address, 0))
        one.sendto(icmp(11, 0, 0, 0, quoted), (server.address, 0))
        one.sendto(icmp(3, 3, 0, 0, quoted[:10]), (server.address, 0))  # cut short
        counters = program.wait_for("it", served=5)
    assert (counters["icmp_requests"], counters["icmp_traces"]) == (2, 1)
    assert (counters["icmp_unreachable"], counters["icmp_exceeded"], counters["answered"]) == (2, 1, 0)
    first = program.wait_for_event("icmp", what="echo request")
    assert first["from"] == client.address and first["to"] == server.address
    assert program.events("icmp", traces="the way here")
    unreachable = program.wait_for_event("icmp", about=f"{server.address} -> 192.0.2.9 protocol 17 port 53")
    whats = {event["what"] for event in program.events("icmp", about=unreachable["about"])}
    assert whats == {"port unreachable", "time exceeded in transit"}


def test_lines_about_packets_stay_within_log_rate(hosts, serve):
    server, client = hosts
    program = serve("icmp-log", ["raw/icmp"], log_rate=3)
    with raw_socket(client) as one:
        for _ in range(50):
            one.sendto(icmp(8), (server.address, 0))
        counters = program.wait_for("it", icmp_requests=50)
    assert counters["unlogged"] > 30


def test_groups_that_are_joined_and_left_are_seen(hosts, serve):
    server, client = hosts
    client.sysctl(net__ipv4__conf__eth0__force_igmp_version=3)
    program = serve("igmp-log", ["raw/igmp"])
    interface = struct.pack("4s4s", socket.inet_aton("239.1.2.3"), socket.inet_aton(client.address))
    with client.socket(socket.AF_INET, socket.SOCK_DGRAM) as member:
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, interface)
        assert program.wait_for_event("group joined", group="239.1.2.3")["host"] == client.address
        member.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, interface)
        program.wait_for_event("group left", group="239.1.2.3", host=client.address)
    counters = program.counters("it")
    assert counters["group_joins"] >= 1 and counters["group_leaves"] >= 1 and counters["answered"] == 0


# --- ip-echo ---


def test_a_protocol_of_its_own_straight_over_ip(hosts, serve):
    server, client = hosts
    program = serve("ip-echo", ["raw/253", "raw6/253"])
    with raw_socket(client, EXPERIMENT) as one, raw_socket(client, EXPERIMENT, socket.AF_INET6) as six:
        for body in (b"", b"hello", bytes(range(256)) * 200):
            assert ask(one, server.address, ip_echo(body)) == ip_echo(body, kind=2)
            assert ask(six, server.address6, ip_echo(body)) == ip_echo(body, kind=2)
        for wrong in (b"", b"abc", ip_echo(b"hello")[:-1] + b"!", ip_echo(b"hello", kind=7)):
            one.sendto(wrong, (server.address, 0))
        one.sendto(ip_echo(b"an answer", kind=2), (server.address, 0))
        assert ask(one, server.address, ip_echo(b"last")) == ip_echo(b"last", kind=2)
    counters = program.wait_for("it", served=12, answered=7)
    assert counters["answered"] == 7 and counters["dropped_malformed"] + counters["dropped_checksum"] == 4


def test_on_one_machine_its_own_answers_are_not_answered(hosts, serve):
    server, _ = hosts
    program = serve("ip-echo", ["raw/253"])
    with raw_socket(server, EXPERIMENT) as one:
        one.sendto(ip_echo(b"to myself"), ("127.0.0.1", 0))
        seen = [payload(one.recv(1000)) for _ in range(2)]
    assert seen == [ip_echo(b"to myself"), ip_echo(b"to myself", kind=2)]
    counters = program.wait_for("it", served=2, answered=1)
    assert counters["received"] == 2 and counters["answered"] == 1


def test_a_header_of_ones_own_has_what_was_written_and_what_the_kernel_fills_in(hosts, serve):
    server, client = hosts
    program = serve("ip-echo", ["raw/253"], own_header=True)
    with raw_socket(client, EXPERIMENT) as one:
        one.sendto(ip_echo(b"hello"), (server.address, 0))
        packet = one.recv(1000)
    assert payload(packet) == ip_echo(b"hello", kind=2)
    assert packet[8] == 64 and struct.unpack("!H", packet[2:4])[0] == len(packet)
    assert socket.inet_ntoa(packet[12:16]) == server.address
    assert program.wait_for("it", answered=1)["served"] == 1


# --- life ---


def test_a_reload_adds_and_removes_a_raw_listener(hosts, superd):
    server, client = hosts
    udp = {"handler": "echo", "listen": ["udp"]}
    ping = {"handler": "icmp-echo", "listen": ["raw/icmp"]}
    program = superd({"udp": udp}, wrapper=server.wrapper)

    def change(services):
        program.services = services
        place = program.places["udp"][0].text
        lines = ["[superd]", 'host_user = "root"' if os.geteuid() == 0 else "", 'log = "json"']
        for name, service in services.items():
            listen = [place] if name == "udp" else service["listen"]
            lines += [f"[service.{name}]", f'handler = "{service["handler"]}"', f"listen = {listen}".replace("'", '"')]
            lines += [f"{key} = {value}" for key, value in service.items() if key not in ("handler", "listen")]
        rewrite(program, "\n".join(lines) + "\n")
        hang_up(program, "reloaded")

    def sockets():
        return server.run("cat", "/proc/net/raw").stdout.count(":0001 ")

    with raw_socket(client) as one:
        change({"udp": udp, "ping": ping})
        assert is_answered(one, server.address)
        change({"udp": udp, "ping": {**ping, "icmp_types": '["timestamp-request"]'}})
        one.sendto(icmp(8), (server.address, 0))
        one.sendto(icmp(13, body=b"\0" * 12), (server.address, 0))
        assert program.wait_for("ping", served=2)["answered"] == 1
        change({"udp": udp, "ping": ping})
        assert is_answered(one, server.address)
        assert sockets() == 1
        change({"udp": udp})
        poll_until(lambda: sockets() == 0, what="the raw socket closes")
    assert program.stop() == 0


def test_neither_host_nor_workers_have_a_capability(hosts, superd, needs):
    server, client = hosts
    program = superd({"it": {"handler": "icmp-echo", "listen": ["raw/icmp"], "design": "preforked"}},
                     wrapper=server.wrapper, settings={"host_user": "nobody"})
    assert "1 received" in client.run(needs("ping"), "-c1", server.address).stdout
    inner = program.processes()[1:]
    assert len(inner) > 2
    for pid in inner:
        with open(f"/proc/{pid}/status") as status:
            fields = dict(line.split(":\t", 1) for line in status.read().splitlines() if ":\t" in line)
        if fields["Name"].startswith("superd:log"):
            continue
        for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[name], 16) == 0, (fields["Name"], name)


def test_without_the_capability_it_says_so(tmp_path):
    config = tmp_path / "superd.toml"
    config.write_text('[service.icmp-echo]\nlisten = ["raw/icmp"]\n')
    wrapper = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*wrapper, PROGRAM, "--config", str(config)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 111
    lines = [line for line in done.stderr.splitlines() if "raw/icmp" in line]
    assert len(lines) == 1 and "CAP_NET_RAW" in lines[0], done.stderr


def test_a_program_that_waits_gets_the_socket(hosts, superd):
    server, client = hosts
    script = "import socket; s = socket.socket(fileno=0); p, a = s.recvfrom(65536); s.sendto(p[20:][::-1], a)"
    program = superd({"it": {"listen": ["raw/254"], "program": ["/usr/bin/python3", "-c", script], "wait": True}},
                     wrapper=server.wrapper)
    with raw_socket(client, 254) as one:
        assert ask(one, server.address, b"stressed") == b"desserts"
    assert program.process.poll() is None


def test_what_the_kernel_drops_is_counted(hosts, serve):
    server, client = hosts
    program = serve("icmp-echo", ["raw/icmp"], receive_buffer="4KiB", answer_rate=1_000_000)
    with raw_socket(client) as one:
        with program.frozen():
            for _ in range(200):
                one.sendto(icmp(8, body=b"x" * 1000), (server.address, 0))
        assert is_answered(one, server.address)
        counters = program.wait_for("it", kernel_drops=1)
    assert counters["received"] + counters["kernel_drops"] >= 200


# --- what a configuration may say ---


@pytest.mark.parametrize("service, complaint", [
    ('[service.echo]\nlisten = ["raw/icmp"]', "echo is not served over this protocol: write tcp or unix"),
    ('[service.icmp-echo]\nlisten = ["udp/7"]', "icmp-echo is not served over udp: write raw/icmp or raw6/icmp6"),
    ('[service.igmp-log]\nlisten = ["raw/icmp"]', "igmp-log is not served over this protocol: write raw/igmp"),
    ('[service.ip-echo]\nlisten = ["raw/0"]', "protocol 0"),
    ('[service.ip-echo]\nlisten = ["raw/256"]', "256 is no protocol"),
    ('[service.ip-echo]\nlisten = ["raw/255"]', "only sends"),
    ('[service.ip-echo]\nlisten = ["raw/nonsense"]', "is no protocol"),
    ('[service.icmp-echo]\nlisten = ["raw6/icmp"]', 'write "raw/icmp" or "raw6/icmp6"'),
    ('[service.icmp-echo]\nlisten = ["raw/[::1]:icmp"]', "IPv4 address"),
    ('[service.icmp-echo]\nlisten = ["raw/127.0.0.1"]', "the protocol is missing"),
    ('[service.icmp-echo]\nlisten = ["raw/icmp"]\nicmp_types = ["echo-requests"]', 'did you mean "echo-request"?'),
    ('[service.icmp-echo]\nlisten = ["raw/icmp"]\nicmp_types = ["packet-too-big"]', "ICMP has no such type"),
    ('[service.icmp-echo]\nlisten = ["raw/icmp"]\nfilter = "2,6 0 0 0"', "instruction 2 of 2 is none"),
    ('[service.icmp-echo]\nlisten = ["raw/icmp"]\npeer = "::1"', "different versions of IP"),
    ('[service.icmp-echo]\nlisten = ["raw6/icmp6"]\nown_header = true', "is of IPv4"),
    ('[service.echo]\nlisten = ["udp/7"]\nfilter = "1,6 0 0 0"', "is of raw listeners"),
    ('[service.icmp-echo]\nlisten = ["raw/icmp", "raw/127.0.0.1:icmp"]', "is the same place as"),
    ('[service.x]\nprogram = ["/bin/cat"]\nlisten = ["raw/icmp"]', "write wait = true"),
])
def test_what_cannot_be_served_is_refused_with_one_line(tmp_path, service, complaint):
    config = tmp_path / "superd.toml"
    config.write_text(service + "\n")
    done = run_superd("--check", config)
    assert done.returncode == 1
    assert complaint in done.stderr, done.stderr
