#!/usr/bin/env python3
"""Pings answered: by the kernel, by a bare loop, and by superd's icmp-echo, for the same client, in the same run.

    bench/raw_echo.py BUILD [ROUNDS [SECONDS]]      as root, or below `unshare -rn`; without a network of its own it makes one

The answerer has one CPU and the client another. Each round measures all in turn; what is told is the median of the rounds.
CPU is user and system time of all processes of the answerer, a packet; that of the kernel is nobody's."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
CONFIGURATION = """[service.icmp-echo]
listen = ["raw/127.9.0.1:icmp"]
level = 1000
per_client = 1000
design = "{design}"
"""
GOALS = (("answers/s against the kernel's", "rate", "kernel", 0.5), ("CPU a packet against the bare loop's", "cpu", "loop", 1.1))


def family(pid):
    pids = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            pids += family(child)
    return pids


def cpu_seconds(pid):
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def kernel_answers(answers):
    Path("/proc/sys/net/ipv4/icmp_echo_ignore_all").write_text("0" if answers else "1")


@contextlib.contextmanager
def answerer(name, build, folder):
    """The process that answers, on the first CPU; None: the kernel."""
    kernel_answers(name == "kernel")
    if name == "kernel":
        yield None
        return
    if name == "loop":
        command, word = [build / "bench/floor/raw_echo"], "ready"
    else:
        file = folder / "superd.toml"
        file.write_text(CONFIGURATION.format(design=name))
        command, word = [build / "superd", "--config", file], "listening"
    log = folder / f"log-{name}"
    with open(log, "w") as output:
        process = subprocess.Popen(["taskset", "-c", "0", *map(str, command)], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while word not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not begin: {log.read_text()}")
            time.sleep(0.01)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def measured(name, build, folder, seconds):
    with answerer(name, build, folder) as pid:
        before = cpu_seconds(pid) if pid else 0
        done = subprocess.run(["taskset", "-c", "1", build / "bench/floor/raw_flood", str(seconds)], check=True, text=True,
                              capture_output=True)
        used = cpu_seconds(pid) - before if pid else 0
    words = done.stdout.split()
    answers, lost, nanos = int(words[0]), int(words[2]), int(words[4])
    return {"rate": answers / nanos * 1e9, "cpu": used / max(answers, 1) * 1e6, "lost": lost}


def main():
    build = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 2
    if os.environ.get("RAW_ECHO_INSIDE") != "1":
        user = [] if os.geteuid() == 0 else ["-r"]
        os.environ["RAW_ECHO_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", *user, "-n", sys.executable, __file__, *sys.argv[1:]])
    subprocess.run([shutil.which("ip") or "/usr/sbin/ip", "link", "set", "lo", "up"], check=True)
    names = ("kernel", "loop", "iterative", "event", "adaptive")
    results = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name in names:
                results[name].append(measured(name, build, Path(folder), seconds))
    print(f"{'answerer':<12}{'answers/s':>12}{'CPU us':>10}{'lost':>8}")
    for name in names:
        rows = results[name]
        print(f"{name:<12}{statistics.median(row['rate'] for row in rows):>12,.0f}"
              f"{statistics.median(row['cpu'] for row in rows):>10.2f}{sum(row['lost'] for row in rows):>8}")
    for what, of, against, goal in GOALS:
        for name in names[2:]:
            ratios = [mine[of] / other[of] for mine, other in zip(results[name], results[against]) if other[of] > 0]
            if ratios:
                print(f"{name}: {what}: {statistics.median(ratios):.2f} (goal {goal})")


if __name__ == "__main__":
    main()
