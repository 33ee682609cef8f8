"""What a program for each connection costs: beside a bare loop, and beside the super-servers that are installed."""

import shutil

from row import Comparison, Floor, Goal, Micro, Peer, Row, Superd

ROOM = (("level", 16000), ("per_client", 16000))
VFORK_EXEC = Floor("program_per_connection", "tcp")
PROGRAM = Superd("answer", "tcp", ROOM, label="program", program="answer")

TCPSERVER = Peer("tcpserver", "tcp", ("tcpserver", "-HR", "-l0", "-c", "16000", "-b", "4096", "127.0.0.1", "{port}",
                                      "{program}"))
INETD = Peer("openbsd-inetd", "tcp", ("/usr/sbin/inetd", "-i", "-R", "1000000", "{file}"),
             "127.0.0.1:{port} stream tcp nowait.1000000 root {program} answer\n")
XINETD = Peer("xinetd", "tcp", ("/usr/sbin/xinetd", "-dontfork", "-f", "{file}", "-pidfile", "{file}.pid"),
              "service answer\n{{\n  type = UNLISTED\n  socket_type = stream\n  protocol = tcp\n  wait = no\n"
              "  bind = 127.0.0.1\n  port = {port}\n  user = root\n  server = {program}\n  instances = UNLIMITED\n"
              "  per_source = UNLIMITED\n  cps = 1000000 1\n  flags = NOLIBWRAP\n}}\n")


def installed(*peers):
    return tuple(peer for peer in peers if shutil.which(peer.words[0]))


PROGRAMS = [
    Row("program", "a static program of 26 B for each connection, 16 in parallel",
        ("tcp-short", "--parallel", "16", "--size", "26"), (
            Comparison(PROGRAM, VFORK_EXEC, (Goal("rate", 0.95), Goal("cpu", 1.10))),
            *(Comparison(peer, VFORK_EXEC) for peer in installed(TCPSERVER, INETD, XINETD)),
        ), unit="connection", group="programs", extra=True),
    Row("program-latency", "the same, 300 connections a second whatever becomes of them",
        ("tcp-open", "--per-second", "300", "--size", "26"), tuple(
            Comparison(PROGRAM, floor, (Goal("p50", 1.00), Goal("p99", 1.00)) if floor is not VFORK_EXEC else ())
            for floor in (*installed(TCPSERVER), VFORK_EXEC)
        ), unit="connection", group="programs", extra=True),
    Row("spawn-resident", "the start of a program by who has so much memory resident", (), (
        Comparison(Micro("spawn", "10MB")),
        Comparison(Micro("spawn", "2GB")),
    ), kind="micro", group="programs", extra=True),
]
