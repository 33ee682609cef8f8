"""Servers of files beside each other, the group `files`: superd and those that Debian has. Server and load share both CPUs,
as a board and its server never do: what is compared is the work, and each part of a round is the same for all."""

from row import Comparison, FilePeer, Goal, Micro, Row, Superd
from rows import ROOM

# dnsmasq serves port 69 alone, and 50 transfers at once unless it is told.
DNSMASQ = FilePeer("dnsmasq", ("--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--enable-tftp",
                           "--tftp-root={files}", "--tftp-max=1000", "--user=root", "--pid-file=",
                           "--listen-address=127.0.0.1", "--bind-interfaces"), "tftp", port=69)
ATFTPD = FilePeer("atftpd", ("--daemon", "--no-fork", "--port", "{port}", "--bind-address", "127.0.0.1", "--maxthread", "1000",
                         "--user", "root", "--group", "root", "--verbose=0", "{files}"), "tftp")


def tftp(design, **settings):
    return Superd("tftp", "udp", (("files", "{files}"), ("design", design), *settings.items(), *ROOM),
                  f"tftp/{design}")


EVENT = tftp("event", loops=1)
ADAPTIVE = tftp("adaptive")


def load(clients, size, window=1, file="large"):
    return ("tftp-files" if file == "small" else "tftp", "--parallel", str(clients), "--size", str(size), "--window", str(window), "--file", file,
            "--sources", str(clients))


def row(name, about, of_load, peer, reach):
    goals = (Goal("rate", reach),)
    return Row(f"files-{name}", about, of_load, (Comparison(EVENT, peer, goals), Comparison(ADAPTIVE, peer, goals)),
               unit="file" if name == "small" else "block", pinned=False, extra=True, group="files", warmup=0.3)


def fsp(table):
    settings = (("files", "{files}"), ("design", "event"), ("loops", 1), ("table", table))
    return Superd("fsp", "udp", settings + ROOM, f"fsp, table {table}")


def fsp_row(name, about, size, file):
    """What the chapter's table saves, in its own form and in the safe one."""
    return Row(f"files-fsp-{name}", about, ("fsp-files" if file == "small" else "fsp", "--parallel", "50", "--size", str(size), "--file", file, "--sources", "50"),
               tuple(Comparison(fsp(table), fsp("off")) for table in ("chapter", "safe")),
               unit="file" if file == "small" else "block", pinned=False, extra=True, group="files", warmup=0.3)


FILES = [
    fsp_row("large", "FSP, 10 MiB in blocks of 1024 B, 50 clients", 1024, "large"),
    fsp_row("small", "FSP, 10 KiB in blocks of 1024 B, 50 clients", 1024, "small"),
    row("lockstep", "TFTP, 10 MiB in blocks of 1428 B, 50 clients", load(50, 1428), DNSMASQ, 1.1),
    row("window", "the same in windows of 8", load(50, 1428, 8), ATFTPD, 1.2),
    row("window-64", "one client, windows of 64", load(1, 1428, 64), ATFTPD, 1.5),
    row("small", "TFTP, 10 KiB in blocks of 1428 B, 50 clients", load(50, 1428, file="small"), DNSMASQ, 1.1),
    Row("files-memory", "memory of a TFTP transfer, 50 at once", ("tftp-hold", "--count", "50", "--size", "1428", "--file",
                                                                 "large"), (
        Comparison(EVENT, goals=(Goal("bytes", (2 << 20) // 50),)),
        Comparison(ADAPTIVE, goals=(Goal("bytes", (2 << 20) // 50),)),
        Comparison(ATFTPD),
    ), kind="memory", unit="transfer", extra=True, group="files"),
    Row("files-read-ahead", "a block of 1428 B, ns: opened each time, read, buffered, and from the disk", (), tuple(
        Comparison(Micro("read_ahead", what)) for what in ("open", "read", "buffer", "cold", "cold-advised")
    ), kind="micro", extra=True, group="files"),
]
