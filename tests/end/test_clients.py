"""Real clients get right answers: rdate, nc, socat, nmap."""

import concurrent.futures
import contextlib
import datetime
import re
import shutil
import subprocess
import time

import pytest

from harness import FROM_1900_TO_1970, PATIENCE, PortInUse, Superd, chargen_lines

SERVICES = ("echo", "discard", "chargen", "daytime", "time", "qotd")


@pytest.fixture(scope="module")
def superd(tmp_path_factory):
    kinds = ["tcp", "udp", "unix", "tcp6", "udp6"]
    with Superd(tmp_path_factory.mktemp("clients"), {name: {"listen": kinds} for name in SERVICES}) as program:
        yield program


def run(*command, given=b"", most=None):
    """What the client prints; of an endless answer the first bytes."""
    with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        try:
            if most is None:
                return process.communicate(given, timeout=3 * PATIENCE)[0]
            return process.stdout.read(most)
        finally:
            process.kill()


def is_now(text, form):
    said = datetime.datetime.strptime(text, form)
    return abs((datetime.datetime.now() - said).total_seconds()) < 5


# --- rdate ---


def test_rdate_reads_the_time(superd, needs):
    text = run(needs("rdate"), "-p", "-o", superd.port("time", "tcp"), "127.0.0.1").decode()
    # "Sun Nov 22 15:27:03 UTC 2026"
    words = text.split()
    assert is_now(" ".join(words[:4] + words[-1:]), "%a %b %d %H:%M:%S %Y"), text


def test_rdate_reads_the_time_over_udp(superd, needs):
    text = run(needs("rdate"), "-u", "-p", "-o", superd.port("time", "udp"), "127.0.0.1").decode()
    words = text.split()
    assert is_now(" ".join(words[:4] + words[-1:]), "%a %b %d %H:%M:%S %Y"), text


# --- nc ---


@pytest.mark.parametrize("host, kind", [("127.0.0.1", "tcp"), ("::1", "tcp6")])
def test_nc_over_tcp(superd, needs, host, kind):
    nc = needs("nc")
    assert run(nc, "-N", host, superd.port("echo", kind), given=b"hello\n" * 10_000) == b"hello\n" * 10_000
    assert is_now(run(nc, host, superd.port("daytime", kind)).decode().strip(), "%a %b %d %H:%M:%S %Y")
    assert len(run(nc, host, superd.port("time", kind))) == 4
    assert run(nc, host, superd.port("qotd", kind)).endswith(b"\r\n")
    assert run(nc, "-N", host, superd.port("discard", kind), given=b"hello\n") == b""
    assert run(nc, host, superd.port("chargen", kind), most=7400) == chargen_lines(100)


@pytest.mark.parametrize("host, kind", [("127.0.0.1", "udp"), ("::1", "udp6")])
def test_nc_over_udp(superd, needs, host, kind):
    nc = needs("nc")
    with concurrent.futures.ThreadPoolExecutor() as pool:  # each waits a second for more
        answers = {name: pool.submit(run, nc, "-u", "-w1", host, superd.port(name, kind), given=b"hello\n")
                   for name in SERVICES}
        answers = {name: answer.result() for name, answer in answers.items()}
    assert answers["echo"] == b"hello\n"
    assert answers["discard"] == b""
    assert is_now(answers["daytime"].decode().strip(), "%a %b %d %H:%M:%S %Y")
    assert len(answers["time"]) == 4
    assert answers["qotd"].endswith(b"\r\n")
    assert chargen_lines(10).startswith(answers["chargen"])


def test_nc_over_a_unix_socket(superd, needs):
    nc = needs("nc")
    assert run(nc, "-N", "-U", superd.place("echo", "unix").address, given=b"hello\n") == b"hello\n"
    assert run(nc, "-U", superd.place("qotd", "unix").address) == run(nc, "127.0.0.1", superd.port("qotd", "tcp"))


# --- socat ---


@pytest.mark.parametrize("kind, address", [
    ("tcp", "TCP4:127.0.0.1:{}"), ("tcp6", "TCP6:[::1]:{}"), ("unix", "UNIX-CONNECT:{}"),
    ("udp", "UDP4:127.0.0.1:{}"), ("udp6", "UDP6:[::1]:{}")])
def test_socat_over_every_transport(superd, needs, kind, address):
    socat = needs("socat")
    # After its input has ended it waits -t seconds for more, where no end of the stream tells.
    place = superd.place("echo", kind)
    target = address.format(place.address if kind == "unix" else place.port)
    assert run(socat, "-t1", "-", target, given=b"hello\n") == b"hello\n"


# --- nmap ---

# Ports at which it tries first what an echo is known by; at others only after 40 seconds of guesses.
WHERE_NMAP_ASKS_FOR_HELP = (12345, 14690, 22490, 6666, 6667, 6668, 6669, 6670, 2627, 3493)
KNOWN_TO_NMAP = ("echo", "daytime", "chargen", "time", "qotd")


@pytest.fixture(scope="module")
def nmaps_opinion(tmp_path_factory):
    """What nmap takes each service for: its name and the rest of the line."""
    nmap = shutil.which("nmap") or pytest.skip("nmap is not installed")
    folder = tmp_path_factory.mktemp("nmap")
    for echo in WHERE_NMAP_ASKS_FOR_HELP:
        services = {name: {"listen": [f"tcp/127.0.0.1:{echo}" if name == "echo" else "tcp"]} for name in KNOWN_TO_NMAP}
        with contextlib.suppress(PortInUse), Superd(folder, services) as program:
            names = {program.port(name) or echo: name for name in KNOWN_TO_NMAP}
            text = run(nmap, "-n", "-sT", "-sV", "-p", ",".join(map(str, names)), "127.0.0.1").decode()
            lines = re.findall(r"^(\d+)/tcp +open +(\S+) *(.*)$", text, re.M)
            return {names[int(port)]: (name, rest) for port, name, rest in lines}
    pytest.skip("no port is free at which nmap would soon ask for what an echo is known by")


@pytest.mark.parametrize("service", KNOWN_TO_NMAP)
def test_nmap_recognises(nmaps_opinion, service):
    if service == "time" and time.time() >= 0xF000_0000 - FROM_1900_TO_1970:
        pytest.skip("nmap 7.93 knows the time service until August 2027 alone, by its first byte")
    assert nmaps_opinion[service][0] == service, nmaps_opinion
    if service == "time":
        assert "32 bits" in nmaps_opinion[service][1]
