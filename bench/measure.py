"""The kinds of rows: ratios to a floor, bursts, memory and so on. Each gives plain values, ready for JSON."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from processes import (Failed, Place, anonymous_bytes, busy_seconds, cpu_seconds, end, peak_bytes, read_line, serving,
                       start, threads)
from row import Client, FilePeer, Floor, Micro, Peer

# A round goes over its contestants so many times, forth and back, so that a machine that becomes slower during a round
# does so for all of them.
PASSES = 4
# A load is repeated once when others took more than this share of a core meanwhile.
NOISY = 0.10
BURSTS_PER_SERVER = 3
# Where Debian has servers, which not everybody's PATH has.
SEARCHED = os.environ.get("PATH", "") + ":/usr/sbin"
# Between the last of many connections and the reading of what idle ones cost.
SETTLE_SECONDS = 1
# From one look at the memory of a client to the next: some hundred in a run.
LOOK_SECONDS = 0.002
# Connections that a server has seen come and go before its memory is read the first time.
FEW = 50


@dataclass(frozen=True)
class Programs:
    """Where the binaries are."""

    superd: Path
    floors: Path
    micros: Path
    load: Path
    programs: Path  # what is run for a client
    peers: Path

    def command(self, contestant, port, folder):
        if isinstance(contestant, Floor):
            return [self.path(contestant), "--port", port]
        if isinstance(contestant, Peer):
            return contestant.command(port, self.programs / contestant.program, folder / "configuration")
        files = folder / "files"
        if isinstance(contestant, FilePeer):
            return [self.path(contestant), *[word.format(port=port, files=files) for word in contestant.arguments]]
        configuration = folder / "superd.toml"
        configuration.write_text(contestant.configuration(port, self.programs).replace("{files}", str(files)))
        return [self.superd, "--config", configuration]

    def words(self, client):
        """The command line of a client."""
        return [word.format(build=self.load.parent.parent) for word in client.words]

    def path(self, contestant):
        if isinstance(contestant, Client):
            return Path(shutil.which(self.words(contestant)[0]) or contestant.words[0])
        if isinstance(contestant, Floor):
            return self.floors / contestant.program
        if isinstance(contestant, Peer):
            return shutil.which(contestant.words[0]) or contestant.words[0]
        if isinstance(contestant, FilePeer):
            return Path(shutil.which(contestant.program, path=f"{self.peers}:{SEARCHED}") or contestant.program)
        return self.micros / contestant.program if isinstance(contestant, Micro) else self.superd

    def missing(self, contestants):
        # Who is not installed is not measured; bench/run says so for what was to be built.
        contestants = [one for one in contestants if not isinstance(one, Client) or "{" in one.words[0]]
        wanted = [self.load] + [self.path(contestant) for contestant in contestants]
        return [path for path in dict.fromkeys(wanted) if not os.access(path, os.X_OK)]


@dataclass(frozen=True)
class Bench:
    programs: Programs
    rounds: int
    seconds: float
    nice: int
    tell: object  # called with a line of progress
    failures: list = field(default_factory=list)

    def measure(self, row):
        """All results of a row: {contestant: [one for each round, or None]}; what went wrong is in `failures`."""
        one_round = {"ratio": self.ratio_round, "burst": self.burst_round, "memory": self.memory_round,
                     "behind": self.behind_round, "micro": self.micro_round, "client": self.client_round}[row.kind]
        results = {contestant.name: [] for contestant in row.contestants()}
        for number in range(self.rounds):
            self.tell(f"{row.name} {number + 1}/{self.rounds}")
            order = row.contestants() if number % 2 == 0 else row.contestants()[::-1]
            of_round = one_round(row, order)
            for name, list_of in results.items():
                list_of.append(of_round.get(name))
        return results

    @contextlib.contextmanager
    def noting(self):
        """One contestant that fails does not stop the others."""
        try:
            yield
        except Failed as failure:
            if str(failure) not in self.failures:
                self.failures.append(str(failure))

    def places(self, row):
        """Where the server and where the load runs."""
        cpus = tuple(sorted(os.sched_getaffinity(0)))
        if not row.pinned:
            return Place(cpus, self.nice), Place(cpus, self.nice)
        if len(cpus) < 2:
            raise Failed(f"{row.name} needs two CPUs, one for the server and one for the load")
        return Place(cpus[:1], self.nice), Place(cpus[1:2], self.nice)

    def ratio_round(self, row, order):
        """Every contestant in turn, with all servers up: those that are not asked sleep."""
        at_server, at_load = self.places(row)
        parts = {contestant.name: [] for contestant in order}
        with self.noting(), contextlib.ExitStack() as stack:
            servers = []
            for contestant in order:
                with self.noting():
                    servers.append(stack.enter_context(serving(contestant, self.programs, at_server)))
            for number in range(PASSES):
                for server in servers if number % 2 == 0 else servers[::-1]:
                    with self.noting():
                        parts[server.contestant.name].append(self.undisturbed(row, server, at_load))
        return {name: together(of_one) for name, of_one in parts.items() if len(of_one) == PASSES}

    def undisturbed(self, row, server, place):
        first = self.part(row, server, place)
        if first["others"] <= NOISY:
            return first
        return min(first, self.part(row, server, place), key=lambda part: part["others"])

    def part(self, row, server, place):
        """One load; `others` is the share of a core that other processes took meanwhile."""
        cpus = set(self.places(row)[0].cpus + place.cpus)
        began, busy, used = time.monotonic(), busy_seconds(cpus), cpu_seconds(server.pid)
        result, client = self.load(row, place, server, self.seconds / PASSES)
        ours = cpu_seconds(server.pid) - used + client
        others = busy_seconds(cpus) - busy - ours
        if not result["operations"]:
            raise Failed(f"{server.contestant.name}: not one {row.unit} was answered, {result['errors']} errors")
        return result | {"others": max(0.0, others / (time.monotonic() - began))}

    def load(self, row, place, server, seconds):
        """Runs a load to its end: its result, and the CPU time it took."""
        command = [self.programs.load, *row.load, "--port", server.port, "--seconds", seconds,
                   "--warmup", row.warmup, "--server", server.pid]
        process = start(command, place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        before = os.times()
        try:
            output, errors = process.communicate(timeout=seconds + 120)
        finally:
            end(process)
        after = os.times()
        server.check()
        if process.returncode != 0:
            raise Failed(f"load {row.load[0]} at {server.contestant.name}: {errors.decode(errors='replace').strip()}")
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        return json.loads(output), spent

    def burst_round(self, row, order):
        """Some bursts at each server, one after the other."""
        at_server, at_load = self.places(row)
        bursts = {}
        for contestant in order:
            with self.noting(), serving(contestant, self.programs, at_server) as server:
                bursts[contestant.name] = [self.load(row, at_load, server, 1)[0] for _ in range(BURSTS_PER_SERVER)]
        return bursts

    def memory_round(self, row, order):
        """Bytes per connection, between a server that has served a few and one that holds them all."""
        at_server, at_load = self.places(row)
        found = {}
        for contestant in order:
            with self.noting(), serving(contestant, self.programs, at_server) as server:
                self.hold([*row.load, "--count", FEW], at_load, server)
                before = anonymous_bytes(server.pid)
                after, result = self.hold(row.load, at_load, server, row.watched)
                found[contestant.name] = result | {"bytes": (after - before) / result["opened"]}
        return found

    def behind_round(self, row, order):
        """How long each of some clients waited, at each server, one after the other."""
        at_server, at_load = self.places(row)
        waits = {}
        for contestant in order:
            with self.noting(), serving(contestant, self.programs, at_server) as server:
                waits[contestant.name] = self.load(row, at_load, server, 1)[0]
        return waits

    def micro_round(self, row, order):
        """What the programs say of themselves."""
        place = self.places(row)[0]
        found = {}
        for contestant in order:
            with self.noting():
                process = start([self.programs.path(contestant), contestant.what], place, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                try:
                    output, errors = process.communicate(timeout=60)
                finally:
                    end(process)
                if process.returncode != 0:
                    raise Failed(f"{contestant.name}: {errors.decode(errors='replace').strip()}")
                found[contestant.name] = json.loads(output)
        return found

    def client_round(self, row, order):
        """Every client in turn, forth and back; of the passes of each the quickest, which others disturbed least."""
        found = {}
        for number in range(PASSES):
            for client in order if number % 2 == 0 else order[::-1]:
                with self.noting():
                    done = self.work_of(row, client)
                    found[client.name] = max(found.get(client.name, done), done, key=lambda one: one["rate"])
        for client in order:
            if client.name in found:
                found[client.name]["bytes"] = self.peak_of(row, client)
        return found

    def peak_of(self, row, client):
        """The most memory that it has, looked at while it runs another time: what wait4(2) tells includes that of the
        process that started it."""
        process = start(self.programs.words(client), self.places(row)[0], stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_bytes(process.pid))
            time.sleep(LOOK_SECONDS)
        return peak

    def work_of(self, row, client):
        """One run: how much was done, and what it took."""
        began = time.monotonic()
        try:
            process = start(self.programs.words(client), self.places(row)[0], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            raise Failed(f"{client.name} is not installed") from None
        output = process.stdout.read().decode(errors="replace")
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        done = re.search(client.counts, output)
        if not done:
            raise Failed(f"{client.name} ended with {process.returncode}: {output.strip()}")
        operations = int(done.group(1))
        return {"operations": operations, "seconds": seconds, "rate": operations / seconds, "errors": 0,
                "cpu_us": (used.ru_utime + used.ru_stime) / operations * 1e6,
                "lost": int(row.load[0]) - operations}

    def hold(self, load, place, server, watched=0):
        """Opens idle connections, reads what they cost the server while they are open, closes them."""
        command = [self.programs.load, *load, "--port", server.port, "--seconds", 60]
        process = start(command, place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            if read_line(process, 60) != "open\n":
                raise Failed(f"load idle: {process.communicate(timeout=60)[1].decode(errors='replace').strip()}")
            held = anonymous_bytes(server.pid)
            idle = self.watch(server, watched) if watched else {}
            result = json.loads(process.communicate(b"\n", timeout=60)[0])
        finally:
            end(process)
        server.check()
        if result["still_open"] != result["opened"] or result["errors"]:
            raise Failed(f"{server.contestant.name}: {result['still_open']} of {result['opened']} idle connections "
                         "stayed open")
        return held, result | idle

    def watch(self, server, seconds):
        """What a server with nothing to do has nevertheless: its threads, and the CPU time it takes."""
        time.sleep(SETTLE_SECONDS)
        used = cpu_seconds(server.pid)
        time.sleep(seconds)
        return {"threads": threads(server.pid), "idle_cpu_ms": round((cpu_seconds(server.pid) - used) * 1000, 1)}


def together(parts):
    """The parts of one round as one result; `cpu_us` is the server's, for one operation."""
    result = {key: sum(part[key] for part in parts)
              for key in ("operations", "seconds", "errors", "server_cpu_seconds", "client_cpu_seconds")}
    medians = [key for key in ("p50_us", "p99_us", "fast_p50_us", "fast_p99_us", "others") if key in parts[0]]
    result |= {key: median(part[key] for part in parts) for key in medians}
    result["undone"] = sum(part.get("undone", 0) for part in parts)
    result["rate"] = result["operations"] / result["seconds"]
    result["cpu_us"] = result["server_cpu_seconds"] / result["operations"] * 1e6
    return result
