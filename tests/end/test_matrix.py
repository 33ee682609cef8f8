"""Every service x design x engine x transport of the program's own tables. A new row is tested at once."""

import datetime
import struct
import time

import pytest

import fsp_wire
import tftp_client
from harness import (FROM_1900_TO_1970, LARGEST_DATAGRAM, ROOMY, Superd, chargen_lines, converse_both_ways,
                     name_of_way, recv_all, recv_exactly, tables, ways_to_serve)

STREAMS = ("tcp", "tcp6", "unix")
DATAGRAMS = ("udp", "udp6")

# The file of services that serve files.
SERVED = bytes(range(256)) * 100


# --- what a right answer is ---


def check_echo_stream(client):
    for chunk in (b"a", b"hello\r\n", bytes(range(256)) * 40):
        client.sendall(chunk)
        assert recv_exactly(client, len(chunk)) == chunk
    last = bytes(reversed(range(256))) * 100
    assert converse_both_ways(client, last) == last


def check_echo_datagram(client):
    for request in (b"hello", b"", b"\0", b"x" * 1400, bytes(range(256)) * 30):
        client.send(request)
        assert client.recv(LARGEST_DATAGRAM) == request


def check_discard_stream(client):
    client.sendall(b"x" * 100_000)
    client.shutdown(1)
    assert recv_all(client) == b""


def check_discard_datagram(client):
    client.send(b"anything")  # the counters tell that it came; see check_discarded


def check_chargen_stream(client):
    wanted = chargen_lines(200)
    client.sendall(b"this is ignored")
    assert recv_exactly(client, len(wanted)) == wanted


def check_chargen_datagram(client):
    pattern = chargen_lines(10)
    lengths = set()
    for _ in range(8):
        client.send(b"?")
        answer = client.recv(LARGEST_DATAGRAM)
        assert len(answer) <= 512
        assert pattern.startswith(answer)
        lengths.add(len(answer))
    assert len(lengths) > 1, "the length is random"


def check_daytime_text(text, before, after):
    assert text.endswith(b"\r\n") and text.count(b"\n") == 1
    said = datetime.datetime.strptime(text.decode("ascii").strip(), "%a %b %d %H:%M:%S %Y").timestamp()
    assert int(before) - 1 <= said <= after + 1


def check_time_number(answer, before, after):
    assert len(answer) == 4
    said = struct.unpack("!I", answer)[0] - FROM_1900_TO_1970
    assert int(before) - 1 <= said <= after + 1


def check_quote(text):
    assert 2 < len(text) <= 512
    assert text.endswith(b"\r\n")
    assert all(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in text)


SLOW_STEPS = b"compute 2ms sleep 3ms block 1ms background 2ms"


def check_slow_stream(client):
    client.sendall(SLOW_STEPS + b"\nsleep 1ms\nnonsense\n")  # all at once: answered one after the other
    answers = b"done " + SLOW_STEPS + b"\ndone sleep 1ms\n"
    assert recv_exactly(client, len(answers)) == answers
    client.shutdown(1)
    wrong = recv_all(client)
    assert wrong.startswith(b"bad request: ") and wrong.endswith(b"\n") and wrong.count(b"\n") == 1


def check_slow_datagram(client):
    for request in (SLOW_STEPS, b"sleep 1ms", b"background 1ms"):
        client.send(request)
        assert client.recv(LARGEST_DATAGRAM) == b"done " + request + b"\n"
    client.send(b"nonsense")
    assert client.recv(LARGEST_DATAGRAM).startswith(b"bad request: ")


def both(check, request):
    """Two checkers for services that answer at once and, over a stream, end."""
    def stream(client):
        before = time.time()
        answer = recv_all(client)
        check(answer, before, time.time())

    def datagram(client):
        for text in (request, b""):
            before = time.time()
            client.send(text)
            answer = client.recv(LARGEST_DATAGRAM)
            check(answer, before, time.time())

    return stream, datagram


def check_tftp(client):
    server = client.getpeername()[:2]
    for options, wanted in (({}, {}), ({"blksize": 1428, "windowsize": 4, "tsize": 0},
                                       {"blksize": 1428, "windowsize": 4, "tsize": len(SERVED)})):
        assert tftp_client.read_file(server, "served", family=client.family, **options) == (SERVED, wanted)
    with pytest.raises(FileNotFoundError):
        tftp_client.read_file(server, "nothing", family=client.family)


def check_fsp(client):
    host, port = client.getpeername()[:2]
    with fsp_wire.FspClient(port, host=host) as files:
        assert files.stat(b"served")[1:] == (len(SERVED), 1)
        assert files.get(b"served") == files.get(b"/served", 8192) == SERVED
        assert files.list(b"") == {b"served": (1, len(SERVED))}
        assert files.ask(fsp_wire.GET_FILE, b"nothing\0").command == fsp_wire.ERR


def check_beacon(client):
    client.send(b"superd-beacon 1 query\n".ljust(1200, b"\n"))
    lines = client.recv(LARGEST_DATAGRAM).decode("ascii").splitlines()
    assert lines[0] == "superd-beacon 1" and lines[1].startswith("host ") and "every 30" in lines
    client.send(b"superd-beacon 2 query\n")
    client.send(b"superd-beacon 1 query\n".ljust(1200, b"\n"))
    assert client.recv(LARGEST_DATAGRAM).decode("ascii").splitlines() == lines


CHECKERS = {
    "beacon": (None, check_beacon),
    "echo": (check_echo_stream, check_echo_datagram),
    "discard": (check_discard_stream, check_discard_datagram),
    "chargen": (check_chargen_stream, check_chargen_datagram),
    "daytime": both(check_daytime_text, b"what time is it?"),
    "time": both(check_time_number, b"now"),
    "slow": (check_slow_stream, check_slow_datagram),
    "fsp": (None, check_fsp),
    "tftp": (None, check_tftp),
    "qotd": both(lambda text, before, after: check_quote(text), b"wisdom"),
}


# --- the table ---


def transports(service):
    return (STREAMS if service["streams"] else ()) + (DATAGRAMS if service["datagrams"] else ())


def pytest_generate_tests(metafunc):
    if "way" in metafunc.fixturenames:
        metafunc.parametrize("way", ways_to_serve(), ids=name_of_way, scope="module")
    if "service" in metafunc.fixturenames:
        pairs = [(service["name"], transport) for service in tables()["services"] for transport in transports(service)]
        metafunc.parametrize("service, transport", pairs, ids=["-".join(pair) for pair in pairs])


@pytest.fixture(scope="module")
def superd(way, tmp_path_factory):
    """One program a way, with all services at all their transports. Each listener is a service of its own, so that
    a design that serves one client at a time serves each listener's."""
    folder = tmp_path_factory.mktemp("matrix")
    tree = folder / "tree"
    tree.mkdir()
    (tree / "served").write_bytes(SERVED)
    for path, mode in ((tree, 0o755), (tree / "served", 0o644)):
        path.chmod(mode)
    services = {f"{service['name']}-{transport}": {
        "listen": [transport], "handler": service["name"], **way, "level": 16,
        **({"files": str(tree)} if service["serves_files"] else {})}
        for service in tables()["services"] for transport in transports(service)}
    with Superd(folder, services) as program:
        yield program


def test_every_service_answers_right_under_every_design_and_engine(superd, way, service, transport):
    assert service in CHECKERS, f"the service {service} is new: write its checkers in CHECKERS"
    check = CHECKERS[service][transport in DATAGRAMS]
    name = f"{service}-{transport}"
    if transport in DATAGRAMS:
        with superd.datagrams(name, transport) as client:
            check(client)
        if service == "discard":
            assert superd.wait_for(name, served=1)["answered"] == 0
    else:
        with superd.connect(name, transport) as client:
            check(client)


def test_a_service_with_all_its_listeners_answers_at_each(way, tmp_path):
    kinds = ["tcp", "tcp6", "unix", "udp", "udp6"]
    with Superd(tmp_path, {"echo": {"listen": kinds, **way, **ROOMY}}) as program:
        for kind in kinds:
            if kind in DATAGRAMS:
                assert program.ask("echo", b"hello", kind) == b"hello"
            else:
                with program.connect("echo", kind) as client:
                    check_echo_stream(client)
        assert program.stop() == 0
