"""A relay for datagrams that does what networks do to them.

    with LossyRelay(server_port, Manners(drop=0.3), seed=1) as relay:
        ...  # a client speaks with relay.port; relay.counts tells what became of its datagrams

Each client's port has a socket of its own towards the server, so that the server tells clients apart. A server that
answers from another port than the one asked, as TFTP's do, is presented to the client at another port, too.
"""

import collections
import dataclasses
import heapq
import itertools
import random
import selectors
import socket
import threading
import time

HOST = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Manners:
    """What happens to a datagram, in either direction: probabilities, and seconds."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0  # held back, so that those behind it overtake it
    corrupt: float = 0.0  # a bit of it is changed, as no UDP checksum lets pass, but what lies above may have to
    delay: float = 0.0    # for all, at most


class LossyRelay:
    HELD_BACK = 0.003

    def __init__(self, server_port, manners, seed=1):
        self.manners = manners
        self.counts = collections.Counter()
        self.random = random.Random(seed)
        self.server = (HOST, server_port)
        self.selector = selectors.DefaultSelector()
        self.waiting, self.numbers = [], itertools.count()
        self.upstream, self.downstream = {}, {}
        self.front = self._socket()
        self.port = self.front.getsockname()[1]
        self._watch(self.front, lambda bytes, client: self._to_server(client, self.server, bytes))
        self.bell, self.ringer = socket.socketpair()
        self.selector.register(self.bell, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ringer.send(b"!")
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
        self.ringer.close()

    @staticmethod
    def _socket():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.bind((HOST, 0))
        return one

    def _watch(self, one, take):
        self.selector.register(one, selectors.EVENT_READ, (one, take))

    # Where to send what comes from a client, and from the server to it.

    def _to_server(self, client, server, data):
        if client not in self.upstream:
            self.upstream[client] = up = self._socket()
            self._watch(up, lambda answer, sender: self._to_client(client, sender, answer))
        self._pass_on(self.upstream[client], server, data)

    def _to_client(self, client, server, data):
        if server == self.server:
            return self._pass_on(self.front, client, data)
        if (client, server) not in self.downstream:
            self.downstream[client, server] = down = self._socket()
            self._watch(down, lambda bytes, _: self._to_server(client, server, bytes))
        return self._pass_on(self.downstream[client, server], client, data)

    # What happens to it on its way.

    def _happens(self, what):
        if self.random.random() >= getattr(self.manners, what):
            return False
        self.counts[what] += 1
        return True

    def _pass_on(self, one, to, data):
        self.counts["seen"] += 1
        if self._happens("drop"):
            return
        for _ in range(2 if self._happens("duplicate") else 1):
            pause = self.random.random() * self.manners.delay
            if self._happens("reorder"):
                pause += self.HELD_BACK
            copy = self._corrupted(data) if self._happens("corrupt") else data
            if pause:
                heapq.heappush(self.waiting, (time.monotonic() + pause, next(self.numbers), one, to, copy))
            else:
                self._send(one, to, copy)

    def _corrupted(self, data):
        if not data:
            return data
        copy = bytearray(data)
        copy[self.random.randrange(len(copy))] ^= 1 << self.random.randrange(8)
        return bytes(copy)

    def _send(self, one, to, data):
        try:
            one.sendto(data, to)
            self.counts["passed on"] += 1
        except OSError:
            self.counts["lost"] += 1  # a full buffer, or nobody there: as on a network

    # The loop.

    def _run(self):
        while True:
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                self._send(*heapq.heappop(self.waiting)[2:])
            pause = max(0, self.waiting[0][0] - now) if self.waiting else None
            for key, _ in self.selector.select(pause):
                if key.data is None:
                    return
                self._receive(*key.data)

    @staticmethod
    def _receive(one, take):
        for _ in range(32):
            try:
                data, sender = one.recvfrom(65536)
            except OSError:
                return
            take(data, sender)
