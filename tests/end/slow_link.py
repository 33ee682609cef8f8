"""A link between two network namespaces that takes time, doubles packets or damages them: what tc's netem does where the
kernel has it. A TUN device in each, and this program between them.

    slow_link.py NAMESPACE ADDRESSES NAMESPACE ADDRESSES [--delay SECONDS] [--double] [--damage]

ADDRESSES are separated by commas. It says "ready" when both ends are up, and ends with its standard input. `--damage` changes
a byte of each ICMP echo reply, so that its checksum is wrong.
"""

import argparse
import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
ICMP, ECHO_REPLY = 1, 0


def end_in(namespace, addresses):
    with open(f"/var/run/netns/{namespace}") as place:
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"slow", IFF_TUN | IFF_NO_PI))
    for address in addresses.split(","):
        subprocess.run(["ip", "addr", "add", address, "dev", "slow", *(["nodad"] if ":" in address else [])], check=True)
    subprocess.run(["ip", "link", "set", "slow", "up"], check=True)
    return device


def damaged(packet):
    if packet[0] >> 4 != 4 or packet[9] != ICMP:
        return packet
    header = (packet[0] & 15) * 4
    if packet[header] != ECHO_REPLY:
        return packet
    return packet[:-1] + bytes([packet[-1] ^ 1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ends", nargs=4)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--damage", action="store_true")
    options = parser.parse_args()
    one = end_in(*options.ends[:2])
    other = end_in(*options.ends[2:])
    print("ready", flush=True)

    held, number = [], 0
    while True:
        wait = max(0, held[0][0] - time.monotonic()) if held else None
        readable, _, _ = select.select([one, other, sys.stdin], [], [], wait)
        if sys.stdin in readable:
            return
        for device in set(readable):
            packet = os.read(device, 65536)
            if options.damage:
                packet = damaged(packet)
            for _ in range(2 if options.double else 1):
                number += 1
                heapq.heappush(held, (time.monotonic() + options.delay, number, other if device == one else one, packet))
        while held and held[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(held)
            os.write(device, packet)


if __name__ == "__main__":
    main()
