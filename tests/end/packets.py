"""Packets, byte by byte."""

import socket
import struct


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def summed(message, at=2):
    return message[:at] + struct.pack("!H", checksum(message)) + message[at + 2:]


def icmp(kind, code=0, identifier=0x1234, sequence=1, body=b"hello, hello"):
    return summed(struct.pack("!BBHHH", kind, code, 0, identifier, sequence) + body)


def ip_echo(body, kind=1):
    return summed(struct.pack("!BBH", kind, 0, 0) + body)


def payload(packet):
    """Of what a raw socket of IPv4 receives."""
    return packet[(packet[0] & 15) * 4:]


def ipv4(source, destination, protocol, body, ttl=64, options=b"", total=0):
    """The kernel fills in length, id and checksum."""
    words = 5 + len(options) // 4
    return struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, total, 0, 0, ttl, protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(destination)) + options + body


def bpf(*instructions):
    """A program as `tcpdump -ddd` prints it."""
    return "\n".join([str(len(instructions)), *(" ".join(map(str, one)) for one in instructions)])
