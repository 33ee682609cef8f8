"""What is measured: one row of the table for each kind of work. A new row is a new entry of ROWS, nothing else.

The rows of the designs are in rows_designs.py."""

from row import Comparison, Floor, Goal, Row, Superd

EPOLL_ECHO = Floor("epoll_echo", "tcp")
URING_ECHO = Floor("uring_echo", "tcp")
ACCEPT_SEND = Floor("accept_send", "tcp")
EPOLL_ACCEPT_SEND = Floor("epoll_accept_send", "tcp")
UDP_TIME = Floor("udp_time", "udp")
UDP_TIME_BATCH = Floor("udp_time_batch", "udp")
UDP_TIME_SEGMENTS = Floor("udp_time_segments", "udp")
UDP_ECHO = Floor("udp_echo", "udp")

# Above what any load opens, for all clients and for one: what is measured is the work, not the waiting at the door.
ROOM = (("level", 16000), ("per_client", 16000))
ITERATIVE = (("design", "iterative"),)
EPOLL = (("design", "event"), ("engine", "epoll"), ("loops", 1)) + ROOM
URING = (("design", "event"), ("engine", "io_uring"), ("loops", 1)) + ROOM

NO_LINES = (("log_conversations", "none"),)
A_LINE_EACH = (("log_conversations", "all"), ("log_rate", 1_000_000))

ECHO_LOAD = ("tcp-echo", "--parallel", "50", "--size", "64")
SHORT_LOAD = ("tcp-short", "--parallel", "16", "--size", "26")
UDP_LOAD = ("udp", "--parallel", "64", "--size", "4")
BURST_LOAD = ("udp-burst", "--count", "10000")
IDLE_LOAD = ("idle", "--count", "15000", "--size", "1")

SHORT_GOAL = Goal("cpu", 1.10, 1.05)
UDP_GOAL = Goal("rate", 1.00, 1.10)
MEMORY_GOAL = Goal("bytes", 512, 256)

ROWS = [
    Row("echo-epoll", "TCP echo, 50 connections of 64 B, event/epoll", ECHO_LOAD, (
        Comparison(Superd("echo", "tcp", EPOLL), EPOLL_ECHO, (Goal("cpu", 1.05, 1.00),)),
    )),
    Row("echo-uring", "the same, event/io_uring", ECHO_LOAD, (
        Comparison(Superd("echo", "tcp", URING), EPOLL_ECHO, (Goal("cpu", 1.00, 0.88),)),
        Comparison(Superd("echo", "tcp", URING), URING_ECHO),
        Comparison(URING_ECHO, EPOLL_ECHO),
    )),
    Row("short", "short connections (daytime), 16 in parallel", SHORT_LOAD, (
        Comparison(Superd("daytime", "tcp", ITERATIVE), ACCEPT_SEND, (SHORT_GOAL,)),
        Comparison(Superd("daytime", "tcp", EPOLL), EPOLL_ACCEPT_SEND, (SHORT_GOAL,)),
        Comparison(Superd("daytime", "tcp", EPOLL), ACCEPT_SEND),
        Comparison(EPOLL_ACCEPT_SEND, ACCEPT_SEND),
    ), unit="connection"),
    Row("udp", "UDP time, 64 requests outstanding", UDP_LOAD, (
        Comparison(Superd("time", "udp", ITERATIVE), UDP_TIME, (UDP_GOAL,)),
        Comparison(Superd("time", "udp", EPOLL), UDP_TIME, (UDP_GOAL,)),
        Comparison(UDP_TIME_BATCH, UDP_TIME),
        Comparison(UDP_TIME_SEGMENTS, UDP_TIME),
    ), unit="request"),
    Row("burst", "10,000 datagrams of 16 B at once to UDP echo, both cores free", BURST_LOAD, (
        Comparison(Superd("echo", "udp"), goals=(Goal("lost", 0, 0),)),
        Comparison(UDP_ECHO),
    ), kind="burst", unit="datagram", pinned=False),
    Row("memory", "user memory per idle TCP connection, 15,000 echo connections", IDLE_LOAD, (
        Comparison(Superd("echo", "tcp", EPOLL), goals=(MEMORY_GOAL,)),
        Comparison(Superd("echo", "tcp", URING), goals=(MEMORY_GOAL,)),
        Comparison(EPOLL_ECHO),
    ), kind="memory", unit="connection"),
    Row("log", "a line of the log for each short connection, against none", SHORT_LOAD, (
        Comparison(Superd("daytime", "tcp", EPOLL + A_LINE_EACH, "a line each"),
                   Superd("daytime", "tcp", EPOLL + NO_LINES, "no lines")),
        Comparison(Superd("daytime", "tcp", EPOLL, "of failures"),
                   Superd("daytime", "tcp", EPOLL + NO_LINES, "no lines")),
    ), unit="connection", extra=True),
    # How far two runs of the very same program are apart: what no ratio of this machine should be believed below.
    Row("noise", "one floor against itself", ECHO_LOAD, (
        Comparison(Floor("epoll_echo", "tcp", "epoll_echo again"), EPOLL_ECHO),
    ), extra=True),
    Row("floors-short", "what waiting in epoll costs a short connection", SHORT_LOAD, (
        Comparison(EPOLL_ACCEPT_SEND, ACCEPT_SEND),
    ), unit="connection", extra=True),
    Row("floors-echo", "io_uring against epoll, bare", ECHO_LOAD, (
        Comparison(URING_ECHO, EPOLL_ECHO),
    ), extra=True),
    Row("floors-udp", "batches against single datagrams, bare", UDP_LOAD, (
        Comparison(UDP_TIME_BATCH, UDP_TIME),
        Comparison(UDP_TIME_SEGMENTS, UDP_TIME),
    ), unit="request", extra=True),
]
