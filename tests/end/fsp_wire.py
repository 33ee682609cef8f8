"""FSP packets as the protocol's document has them, written apart from the program's own."""

import collections
import socket
import struct

from clients import PATIENCE

VERSION, ERR, GET_DIR, GET_FILE, UP_LOAD, INSTALL, DEL_FILE, DEL_DIR, GET_PRO = (
    0x10, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47)
MAKE_DIR, BYE, GRAB_FILE, STAT, RENAME = 0x49, 0x4A, 0x4B, 0x4D, 0x4E

HEADER = struct.Struct("!BBHHHI")
Packet = collections.namedtuple("Packet", "command key sequence position data extra")


def checksum(packet, first):
    total = first + sum(packet)
    return (total + (total >> 8)) & 0xFF


def request(command, data=b"", extra=b"", key=0, sequence=8, position=0):
    packet = bytearray(HEADER.pack(command, 0, key, sequence, len(data), position) + data + extra)
    packet[1] = checksum(packet, len(packet))
    return bytes(packet)


def parse(packet):
    command, told, key, sequence, size, position = HEADER.unpack_from(packet)
    without = packet[:1] + b"\0" + packet[2:]
    assert checksum(without, 0) == told, "the answer's checksum is wrong"
    return Packet(command, key, sequence, position, packet[12:12 + size], packet[12 + size:])


class FspClient:
    """One request after the other, over one socket."""

    def __init__(self, port, *, host="127.0.0.1", source=None, key=0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        if source:
            self.socket.bind(source)
        self.socket.connect((host, port))
        self.key, self.sequence = key, 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, command, data=b"", extra=b"", position=0, key=None):
        self.sequence = (self.sequence + 8) & 0xFFFF
        self.socket.send(request(command, data, extra, self.key if key is None else key, self.sequence, position))

    def receive(self):
        answer = parse(self.socket.recv(65536))
        assert answer.sequence == self.sequence
        self.key = answer.key
        return answer

    def ask(self, command, data=b"", extra=b"", position=0):
        self.send(command, data, extra, position)
        return self.receive()

    def stat(self, name):
        """Time, size and type."""
        return struct.unpack("!IIB", self.ask(STAT, name + b"\0").data)

    def get(self, name, block=None):
        content = b""
        while True:
            extra = struct.pack("!H", block) if block else b""
            answer = self.ask(GET_FILE, name + b"\0", extra, len(content))
            assert answer.command == GET_FILE, answer.data
            if not answer.data:
                return content
            content += answer.data

    def list(self, name, block=None):
        """{name: (type, size)}"""
        entries, position = {}, 0
        while True:
            extra = struct.pack("!H", block) if block else b""
            data = self.ask(GET_DIR, name + b"\0", extra, position).data
            assert data, "the end is said"
            at = 0
            while at + 9 <= len(data):
                _, size, kind = struct.unpack_from("!IIB", data, at)
                if kind == 0:
                    return entries
                if kind == 0x2A:
                    break
                end = data.index(b"\0", at + 9)
                entries[data[at + 9:end]] = (kind, size)
                at = (end + 4) // 4 * 4
            position += len(data)
