"""Time: the number wraps in 2036, and a jump of the wall clock ends nobody's conversation."""

import os
import shutil
import struct
import subprocess

import pytest

from harness import FROM_1900_TO_1970, IS_SANITIZED, Superd, every_way, recv_all, recv_exactly

WRAP = (1 << 32) - FROM_1900_TO_1970  # 2036-02-07 06:28:16 UTC


@pytest.fixture
def faked(tmp_path):
    """faked(services, seconds): a superd whose wall clock shows that time; set(seconds) makes it jump."""
    if IS_SANITIZED:
        pytest.skip("a sanitizer wants to be the first library, and so does libfaketime")
    if not shutil.which("faketime"):
        pytest.skip("faketime is not installed")
    clock = tmp_path / "clock"

    def set_clock(seconds):
        fresh = tmp_path / "clock.new"
        fresh.write_text(f"@{seconds}\n")
        fresh.rename(clock)

    def start(services, seconds):
        set_clock(seconds)
        environment = {**os.environ, "TZ": "UTC", "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                       "FAKETIME_FMT": "%s", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                       "LD_PRELOAD": library()}
        return Superd(tmp_path, services, environment=environment)

    start.set = set_clock
    return start


def library():
    """What `faketime` preloads; used directly, it is not the parent of the program."""
    return subprocess.run(["faketime", "now", "printenv", "LD_PRELOAD"], capture_output=True, text=True).stdout.strip()


def number_of(program, kind):
    if kind == "udp":
        return struct.unpack("!I", program.ask("time", b"?"))[0]
    with program.connect("time", kind) as client:
        return struct.unpack("!I", recv_all(client))[0]


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("moment, least", [(WRAP - 1000, (1 << 32) - 1000), (WRAP, 0), (WRAP + 100_000, 100_000)],
                         ids=["before", "at", "after"])
def test_time_goes_on_from_zero_in_2036(faked, kind, moment, least):
    with faked({"time": {"listen": ["tcp", "udp"]}}, moment) as program:
        assert least <= number_of(program, kind) < least + 500


def test_daytime_follows_a_jump_of_the_wall_clock(faked):
    with faked({"daytime": {"listen": ["udp"]}}, 1_800_000_000) as program:
        for seconds, begin in ((1_800_000_000, b"Fri Jan 15 08:0"), (1_900_000_000, b"Sun Mar 17 17:4"),
                               (1_700_000_000, b"Tue Nov 14 22:1")):
            faked.set(seconds)
            assert program.ask("daytime", b"?").startswith(begin)


def test_daytime_goes_on_beyond_2038(faked):
    with faked({"daytime": {}}, 1 << 31) as program, program.connect("daytime") as client:
        assert recv_all(client).startswith(b"Tue Jan 19 03:14:")


@pytest.mark.parametrize(**every_way())
def test_a_jump_of_the_wall_clock_ends_no_conversation(faked, way):
    now = 1_800_000_000
    with faked({"echo": {**way}, "time": {"design": way["design"]}}, now) as program, program.connect("echo") as client:
        for jump in (3_000_000, -3_000_000):
            client.sendall(b"before")
            assert recv_exactly(client, 6) == b"before"
            faked.set(now + jump)
            assert abs(number_of(program, "tcp") - FROM_1900_TO_1970 - now - jump) < 500, "the clock jumps"
            client.sendall(b"after")
            assert recv_exactly(client, 5) == b"after"
        counters = program.counters("echo")
        assert counters["level"] == 1
        assert not any(counters[name] for name in ("timed_out_idle", "timed_out_slow", "timed_out_total"))
