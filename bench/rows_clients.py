"""Clients that do their work and end, the group `clients`: superctl beside what Debian has and beside a bare loop."""

from row import Client, Comparison, Goal, Row

SUPERCTL = Client("superctl ping", ("{build}/superctl", "ping", "127.8.0.0/16", "--rate", "0", "-q"), r"(\d+) received")
FPING = Client("fping", ("fping", "-q", "-s", "-i", "0.001", "-g", "127.8.0.0/16"), r"(\d+) alive")
BARE = Client("ping_sweep", ("{build}/bench/floor/ping_sweep",), r"(\d+) received")

CLIENTS = [
    Row("ping", "echo requests to the 65534 hosts of 127.8.0.0/16", ("65534",), (
        Comparison(SUPERCTL, FPING, (Goal("rate", 1.6), Goal("bytes", 16 << 20), Goal("lost", 0))),
        Comparison(SUPERCTL, BARE, (Goal("rate", 0.9),)),
    ), kind="client", unit="reply", pinned=False, extra=True, group="clients"),
]
