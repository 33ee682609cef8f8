"""The rows that compare designs, the group `designs`. Each server has one CPU and the load another, unless a row says
that both are free to both."""

import os

from row import Best, Comparison, Floor, Goal, Micro, Row, Superd
from rows import ACCEPT_SEND, EPOLL_ACCEPT_SEND, ROOM, SHORT_LOAD

THREAD_PER_CONNECTION = Floor("thread_per_connection", "tcp")
PROCESS_PER_CONNECTION = Floor("process_per_connection", "tcp")
PRETHREADED_FLOOR = Floor("prethreaded", "tcp")
PREFORKED_FLOOR = Floor("preforked", "tcp")


def design(name, label="", **settings):
    """The settings of a design with its label; what is not said is as superd has it."""
    return label or name, (("design", name), *settings.items(), *ROOM)


ITERATIVE = design("iterative")
THREADS = design("threads")
PROCESSES = design("processes")
PRETHREADED_8 = design("prethreaded", "prethreaded, 8 workers", workers=8)
PRETHREADED_64 = design("prethreaded", "prethreaded, 64 workers", workers=64)
PREFORKED_8 = design("preforked", "preforked, 8 workers", workers=8)
EVENT_1 = design("event", "event, 1 loop", engine="epoll", loops=1)
EVENT_2 = design("event", "event, 2 loops", engine="epoll", loops=2)
DELAYED = design("delayed")
ADAPTIVE = design("adaptive")

# Those that adaptive should be as good as, whichever of them is the right one.
FIXED = (EVENT_1, EVENT_2, THREADS, PRETHREADED_8, PRETHREADED_64, DELAYED, ITERATIVE)


def serving(handler, design_of, transport="tcp"):
    label, settings = design_of
    return Superd(handler, transport, settings, label)


def against(design_of, floor, *goals, handler="daytime"):
    return Comparison(serving(handler, design_of), floor, goals)


BARE = Goal("cpu", 1.10)


def short(design_of, floor):
    name = dict(design_of[1])["design"]
    return Row(f"designs-short-{name}", f"short connections (daytime), 16 in parallel: {name} against the bare loop of it",
               SHORT_LOAD, (against(design_of, floor, BARE),), unit="connection", extra=True, group="designs")


SHORT = [short(*pair) for pair in (
    (ITERATIVE, ACCEPT_SEND),
    (THREADS, THREAD_PER_CONNECTION),
    (PROCESSES, PROCESS_PER_CONNECTION),
    (PRETHREADED_8, PRETHREADED_FLOOR),
    (PREFORKED_8, PREFORKED_FLOOR),
    (EVENT_1, EPOLL_ACCEPT_SEND),
    (DELAYED, ACCEPT_SEND),
    (ADAPTIVE, EPOLL_ACCEPT_SEND),
)]

IN_TIME = Row("designs-in-time", "the same: what it costs to be ready for a slow one, all in time", SHORT_LOAD, (
    against(DELAYED, serving("daytime", ITERATIVE), Goal("cpu", 1.04)),
    against(ADAPTIVE, serving("daytime", EVENT_1), Goal("cpu", 1.03)),
), unit="connection", extra=True, group="designs")

ARM = Row("designs-arm", "a deadline armed and cancelled, ns", (), (
    Comparison(Micro("arm", "baton"), goals=(Goal("ns", 5, 2.5),)),
    Comparison(Micro("arm", "bare")),
), kind="micro", extra=True, group="designs")


def mix(share, kind, line):
    """A share of requests that are slow, the others `compute 0ms`; each on a connection of its own."""
    name = f"designs-{kind}-{share}" if share else "designs-fast"
    about = f"64 in parallel, {share} % of the requests {line}" if share else "64 in parallel, no request slow"
    comparisons = [against(ADAPTIVE, Best(tuple(serving("slow", fixed) for fixed in FIXED)), Goal("rate", 0.95),
                           handler="slow")]
    if (share, kind) == (10, "sleep"):
        comparisons.append(against(ADAPTIVE, serving("slow", THREADS), Goal("rate", 1.2), Goal("cpu", 0.7),
                                   handler="slow"))
    load = ("tcp-mix", "--parallel", "64", "--share", str(share), "--slow", line)
    return Row(name, about, load, tuple(comparisons), unit="connection", extra=True, group="designs", warmup=0.5)


SLOW = {"sleep": "sleep 20ms", "block": "block 20ms", "compute": "compute 2ms"}
SHARES = (1, 10, 50)
MIXES = [mix(0, "sleep", "")] + [mix(share, kind, line) for kind, line in SLOW.items() for share in SHARES]


def behind(name, about, pinned, goals, designs):
    load = ("behind", "--slow", "compute 150ms", "--count", "40")
    comparisons = tuple(Comparison(serving("slow", one), goals=goals if one in (DELAYED, ADAPTIVE) else ())
                        for one in designs)
    return Row(name, about, load, comparisons, kind="behind", unit="client", pinned=pinned, extra=True, group="designs")


BEHIND = [
    behind("designs-behind", "the next client behind a handler that computes 150 ms, both CPUs free", False,
           (Goal("p99_us", 1000),), (DELAYED, ADAPTIVE, EVENT_2, THREADS, PRETHREADED_8, ITERATIVE)),
    behind("designs-behind-one", "the same, the server on one CPU", True, (), (DELAYED, ADAPTIVE, THREADS)),
]

# The kernel doubles what it is asked for, and its default for datagrams is 212,992 bytes: the buffer of a textbook's
# server, which asks for none.
TEXTBOOK = ("receive_buffer", "104KiB")
TEXTBOOK_8 = (PRETHREADED_8[0] + ", kernel's buffer", PRETHREADED_8[1] + (TEXTBOOK,))
ADAPTIVE_SMALL = (ADAPTIVE[0] + ", kernel's buffer", ADAPTIVE[1] + (TEXTBOOK,))


def burst(kind):
    return Row(f"designs-burst-{kind}", f"10,000 datagrams `{kind} 1ms` at once, both CPUs free",
               ("udp-burst", "--count", "10000", "--slow", f"{kind} 1ms"), (
        Comparison(serving("slow", ADAPTIVE, "udp"), goals=(Goal("lost", 0),)),
        Comparison(serving("slow", ADAPTIVE_SMALL, "udp")),
        Comparison(serving("slow", TEXTBOOK_8, "udp")),
    ), kind="burst", unit="datagram", pinned=False, extra=True, group="designs")


IDLE = Row("designs-idle", "10,000 idle connections (echo), both CPUs free", ("idle", "--count", "10000", "--size", "1"), (
    Comparison(serving("echo", ADAPTIVE), goals=(
        Goal("bytes", 300), Goal("threads", len(os.sched_getaffinity(0)) + 2), Goal("idle_cpu_ms", 0))),
    Comparison(serving("echo", EVENT_1)),
), kind="memory", unit="connection", pinned=False, extra=True, group="designs", watched=5)

DESIGNS = [*SHORT, IN_TIME, ARM, *MIXES, *BEHIND, burst("sleep"), burst("block"), IDLE]
