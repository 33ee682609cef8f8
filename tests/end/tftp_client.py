"""A client of TFTP that does what it is told, packet by packet: for what well-behaved clients never do."""

import contextlib
import socket
import struct

from harness import PATIENCE

READ, WRITE, DATA, ACK, ERROR, OACK = range(1, 7)
BLOCK = 512


def request(opcode, name, mode="octet", **options):
    words = [name, mode, *(str(word) for pair in options.items() for word in pair)]
    return struct.pack("!H", opcode) + b"".join((word if isinstance(word, bytes) else word.encode()) + b"\0"
                                                for word in words)


def data(block, content):
    return struct.pack("!HH", DATA, block & 0xFFFF) + content


def ack(block):
    return struct.pack("!HH", ACK, block & 0xFFFF)


def parse(packet):
    """(opcode, number or options, content)."""
    opcode = struct.unpack_from("!H", packet)[0]
    if opcode == OACK:
        words = packet[2:].split(b"\0")[:-1]
        return opcode, {name.decode(): int(value) for name, value in zip(words[::2], words[1::2])}, b""
    return opcode, struct.unpack_from("!H", packet, 2)[0], packet[4:]


class Transfer:
    """One of them. `server` is where requests go; answers come from `peer`, once the first has come."""

    def __init__(self, server, family=socket.AF_INET, source=None):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        if source:
            self.socket.bind(source)
        self.server, self.peer = server, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, opcode, name, mode="octet", **options):
        self.socket.sendto(request(opcode, name, mode, **options), self.server)
        return self

    def send(self, packet):
        self.socket.sendto(packet, self.peer)
        return self

    def receive(self):
        packet, sender = self.socket.recvfrom(70_000)
        if self.peer is None:
            self.peer = sender
        assert sender == self.peer
        return parse(packet)

    def expect(self, opcode, number=None):
        """The content of the next packet, which is this one."""
        found = self.receive()
        assert found[0] == opcode and number in (None, found[1]), found
        return found[1] if opcode in (OACK, ERROR) else found[2]

    def is_silent(self, seconds):
        self.socket.settimeout(seconds)
        try:
            with contextlib.suppress(TimeoutError):
                self.socket.recv(70_000)
                return False
            return True
        finally:
            self.socket.settimeout(PATIENCE)


def read_file(server, name, mode="octet", family=socket.AF_INET, source=None, **options):
    """All of a file, and the options that were granted."""
    with Transfer(server, family, source) as transfer:
        transfer.ask(READ, name, mode, **options)
        granted, content, expected, in_window = {}, bytearray(), 1, 0
        while True:
            opcode, number, part = transfer.receive()
            if opcode == ERROR:
                raise FileNotFoundError(number, part)
            if opcode == OACK:
                granted = number
                transfer.send(ack(0))
                continue
            if number != expected & 0xFFFF:
                continue
            content += part
            expected += 1
            in_window += 1
            is_last = len(part) < granted.get("blksize", BLOCK)
            if is_last or in_window == granted.get("windowsize", 1):
                transfer.send(ack(number))
                in_window = 0
            if is_last:
                return bytes(content), granted


def write_file(server, name, content, mode="octet", family=socket.AF_INET, **options):
    with Transfer(server, family) as transfer:
        transfer.ask(WRITE, name, mode, **options)
        opcode, number, part = transfer.receive()
        if opcode == ERROR:
            raise PermissionError(number, part)
        granted = number if opcode == OACK else {}
        size, window = granted.get("blksize", BLOCK), granted.get("windowsize", 1)
        blocks = [content[i:i + size] for i in range(0, len(content) + 1, size)]
        if len(content) % size == 0 and (not blocks or blocks[-1]):
            blocks.append(b"")
        acknowledged = 0
        while acknowledged < len(blocks):
            for block in range(acknowledged + 1, min(acknowledged + window, len(blocks)) + 1):
                transfer.send(data(block, blocks[block - 1]))
            number = transfer.receive()
            if number[0] == ERROR:
                raise PermissionError(number[1], number[2])
            acknowledged += (number[1] - acknowledged) & 0xFFFF
        return granted
