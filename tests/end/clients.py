"""The clients' side: sockets whose every call is bounded, and polling with a deadline."""

import contextlib
import os
import select
import socket
import struct
import time

IS_SANITIZED = os.environ.get("SUPERD_PRESET", "") in ("asan", "tsan")

# How much slower than a release build the one under test is.
SLOWNESS = float(os.environ.get("SUPERD_TEST_SLOWNESS", "5" if IS_SANITIZED else "1"))
PATIENCE = 20 * SLOWNESS  # seconds until something that ought to happen is taken for lost

LARGEST_DATAGRAM = 65507
FROM_1900_TO_1970 = 2_208_988_800


def poll_until(predicate, seconds=None, what=""):
    """The first true value of predicate(), asked until the deadline; AssertionError after it."""
    deadline = time.monotonic() + (PATIENCE if seconds is None else seconds * SLOWNESS)
    pause = 0.001
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within the deadline: " + (what or "what was waited for"))
        select.select([], [], [], pause)
        pause = min(pause * 1.5, 0.05)


def connect(family, address, *, seconds=None, source=None):
    """A stream that is connected; every call on it is bounded by `seconds`, or by PATIENCE."""
    client = socket.socket(family, socket.SOCK_STREAM)
    try:
        client.settimeout(PATIENCE if seconds is None else seconds * SLOWNESS)
        if source:
            client.bind(source)
        client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


def datagram_socket(family, address=None, *, seconds=None, source=None):
    """A datagram socket, connected where there is an address."""
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(PATIENCE if seconds is None else seconds * SLOWNESS)
    if source:
        client.bind(source)
    if address:
        client.connect(address)
    return client


def recv_all(client, most=1 << 30):
    """Everything until the other side ends the stream."""
    parts = bytearray()
    while len(parts) < most:
        part = client.recv(65536)
        if not part:
            break
        parts += part
    return bytes(parts)


def recv_exactly(client, size):
    parts = bytearray()
    while len(parts) < size:
        part = client.recv(size - len(parts))
        if not part:
            raise AssertionError(f"the stream ended after {len(parts)} of {size} bytes")
        parts += part
    return bytes(parts)


def send_bytewise(client, data):
    """One segment a byte."""
    with contextlib.suppress(OSError):  # unix sockets have no such option
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        client.sendall(bytes([byte]))


def has_bytes(client):
    """Whether a receive would not block now."""
    return bool(select.select([client], [], [], 0)[0])


def reset(client):
    """Closes with a reset instead of an orderly end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def converse_both_ways(client, data, *, chunk=65536):
    """Sends all and half closes while receiving; returns all that came back."""
    answer, rest = bytearray(), memoryview(data)
    client.setblocking(False)
    deadline = time.monotonic() + 3 * PATIENCE
    while True:
        assert time.monotonic() < deadline, f"stuck: {len(rest)} bytes unsent, {len(answer)} received"
        readable, writable, _ = select.select([client], [client] if rest else [], [], 1)
        if writable:
            rest = rest[client.send(rest[:chunk]):]
            if not rest:
                client.shutdown(socket.SHUT_WR)
        if readable:
            part = client.recv(1 << 18)
            if not part:
                return bytes(answer)
            answer += part


COLUMNS, PRINTABLES = 72, bytes(range(0x20, 0x7F))


def chargen_lines(count):
    """The pattern of RFC 864: 72 of the 95 printable characters, each line one later, CR LF."""
    ring = PRINTABLES * 2
    starts = (line % len(PRINTABLES) for line in range(count))
    return b"".join(ring[start:start + COLUMNS] + b"\r\n" for start in starts)
