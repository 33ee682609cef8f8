"""The log: each place it can go to, and that nothing that happens there costs a client anything (faults 22, 32 to 34)."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from harness import (PATIENCE, PROGRAM, ROOMY, SLOWNESS, Superd, connect, is_alive, poll_until, recv_all, recv_exactly)

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
DRAINED = 0
ALL = {"log_conversations": "all", "log_rate": 1_000_000, **ROOMY}


def converse(superd, service="echo", text=b"hello", kind=None):
    with superd.connect(service, kind) as client:
        client.sendall(text)
        assert recv_exactly(client, len(text)) == text


def objects_in(path):
    """A file's lines, each of which must be whole."""
    text = Path(path).read_text()
    assert not text or text.endswith("\n"), text[-300:]
    return [json.loads(line) for line in text.splitlines()]


def conversations(lines):
    return [line for line in lines if line["event"] == "conversation ended"]


class Collector:
    """A datagram socket with a name, as a syslogd or journald has one."""

    def __init__(self, path):
        self.path, self.messages = path, []
        self.begin()

    def begin(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)

    def end(self):
        self.all()
        self.socket.close()
        self.path.unlink()

    def all(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.messages.append(self.socket.recv(1 << 20))
        return self.messages

    def wait_for(self, part):
        return poll_until(lambda: [m for m in self.all() if part in m], what=f"{part} is logged")[-1]


def places(*more):
    """The harness reads stderr."""
    return {"log_to": ["stderr", *map(str, more)]}


# --- syslog and the journal ---


def test_syslogd_gets_a_datagram_a_line(tmp_path):
    syslogd = Collector(tmp_path / "log")
    settings = places(f"syslog:{syslogd.path}") | {"log_facility": "local3"}
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=settings) as superd:
        processes = superd.processes()
        superd.stop()
        listening = syslogd.wait_for(b"listening").decode()
        # local3 is 19, info is 6.
        head = re.fullmatch(r"<158>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d superd\[(\d+)\]: (.*)", listening)
        assert int(head[1]) in processes
        assert json.loads(head[2])["service"] == "echo"
        assert syslogd.wait_for(b"ended")


def test_a_syslogd_that_goes_and_comes_back_gets_lines_again(tmp_path):
    syslogd = Collector(tmp_path / "log")
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"syslog:{syslogd.path}"),
                defaults=ALL) as superd:
        syslogd.wait_for(b"listening")
        syslogd.end()
        for _ in range(20):
            converse(superd)
        # Others get their lines meanwhile, and the service goes on.
        poll_until(lambda: len(superd.events("conversation ended")) == 20, what="stderr has its lines")
        syslogd.begin()

        def is_back():
            converse(superd)
            return any(b"conversation ended" in message for message in syslogd.all())

        poll_until(is_back, what="syslogd gets lines again")
        lost = superd.wait_for_event("log lines lost")
        assert lost["unwritten"] > 0 and lost["dropped"] == 0


def test_a_syslogd_that_is_not_there_yet_is_no_error(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"syslog:{tmp_path}/log")) as superd:
        assert superd.wait_for_event("nobody takes log lines yet", at=f"{tmp_path}/log")
        converse(superd)


def test_a_syslogd_that_reads_nothing_holds_up_nobody(tmp_path):
    syslogd = Collector(tmp_path / "log")
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"syslog:{syslogd.path}"),
                defaults=ALL) as superd:
        for _ in range(1000):
            converse(superd)
        assert superd.wait_for("echo", served=1000)["served"] == 1000
        assert superd.stop() == DRAINED


def fields_of(message):
    """A message of the journal's protocol."""
    fields, rest = {}, message
    while rest:
        line, _, rest = rest.partition(b"\n")
        name, is_simple, value = line.partition(b"=")
        if not is_simple:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8:8 + size], rest[8 + size + 1:]
        fields[name.decode()] = value.decode()
    return fields


def test_the_journal_gets_fields(tmp_path):
    journald = Collector(tmp_path / "journal")
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"journal:{journald.path}"),
                defaults=ALL) as superd:
        converse(superd)
        fields = fields_of(journald.wait_for(b"conversation ended"))
        assert fields["MESSAGE"].startswith("conversation ended service=echo client=127.0.0.1:")
        assert (fields["PRIORITY"], fields["SYSLOG_FACILITY"], fields["SYSLOG_IDENTIFIER"]) == ("6", "3", "superd")
        assert (fields["SUPERD_EVENT"], fields["SUPERD_SERVICE"]) == ("conversation ended", "echo")
        assert (fields["SUPERD_IN"], fields["SUPERD_OUT"]) == ("5", "5")
        assert all(re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name) for name in fields)


# --- files ---


def test_a_log_file_is_made_for_few_to_read_and_added_to(tmp_path):
    file = tmp_path / "superd.log"
    for count in (1, 2):
        with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"file:{file}")) as superd:
            superd.stop()
        assert file.stat().st_mode & 0o777 == 0o640
        assert len([line for line in objects_in(file) if line["event"] == "listening"]) == count


@pytest.mark.parametrize("path, why", [("{}/none/superd.log", "no such file"), ("{}", "is a directory")])
def test_a_log_file_that_cannot_be_opened_is_an_error_at_the_start(tmp_path, path, why):
    config = tmp_path / "superd.toml"
    place = path.format(tmp_path)
    config.write_text(f'[superd]\nlog_to = "file:{place}"\n[service.echo]\nlisten = "unix:{tmp_path}/s"\n')
    ended = subprocess.run([PROGRAM, "--config", config], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 111
    assert re.fullmatch(rf"superd: open log file {re.escape(place)}: {why}.*\n", ended.stderr), ended.stderr


class Load:
    """Clients without a pause, who tell how many conversations they had."""

    def __init__(self, superd, clients=3):
        self.superd, self.is_over, self.counts = superd, threading.Event(), [0] * clients
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(clients)]

    def work(self, number):
        while not self.is_over.is_set():
            converse(self.superd)
            self.counts[number] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    @property
    def count(self):
        return sum(self.counts)

    def goes_on(self, more=50):
        goal = self.count + more
        poll_until(lambda: self.count >= goal, what="conversations go on")


def test_rotation_under_load_loses_and_tears_no_line(tmp_path):
    """mv, then SIGUSR1, as logrotate(8) does it."""
    file = tmp_path / "superd.log"
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"file:{file}"), defaults=ALL) as superd:
        with Load(superd) as load:
            for number in range(10):
                load.goes_on()
                file.rename(tmp_path / f"superd.log.{number}")
                superd.send_signal(signal.SIGUSR1)
                poll_until(file.exists, what="the file is opened anew")
        superd.wait_for("echo", served=load.count)
        assert superd.stop() == DRAINED
        lines = [line for part in [*tmp_path.glob("superd.log.*"), file] for line in objects_in(part)]
        assert len(conversations(lines)) == load.count
        assert not [line for line in lines if line["event"] == "log lines lost"]
        assert len([line for line in lines if line["event"] == "log reopened"]) == 10


def test_a_file_that_cannot_be_opened_anew_is_told_and_the_old_one_kept(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"file:{folder}/log")) as superd:
        folder.rename(tmp_path / "moved")
        superd.send_signal(signal.SIGUSR1)
        superd.wait_for_event("log not reopened")
        superd.stop()
        assert objects_in(tmp_path / "moved" / "log")[-1]["event"] == "ended"


def test_a_reload_changes_where_lines_go_and_what_they_are(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"file:{first}")) as superd:
        superd.settings["log_to"] = ["stderr", f"file:{second}"]
        superd.defaults = {"log_conversations": "all"}
        superd.config.write_text(superd.config_text())
        superd.send_signal(signal.SIGHUP)
        superd.wait_for_event("reloaded", not_changed=0)
        converse(superd)
        superd.wait_for("echo", served=1)
        superd.stop()
        assert objects_in(first)[-1]["event"] == "listening"
        lines = [line["event"] for line in objects_in(second)]
        assert lines[0] == "reloaded" and lines.count("conversation ended") == 1


def test_a_reload_that_cannot_open_its_log_keeps_the_old_one(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}) as superd:
        superd.settings["log_to"] = f"file:{tmp_path}/none/log"
        superd.config.write_text(superd.config_text())
        superd.send_signal(signal.SIGHUP)
        assert "none/log" in superd.wait_for_event("not changed")["why"]
        superd.wait_for_event("reloaded", not_changed=1)


def small_disk(folder):
    """Runs a program where `folder` is a file system of 64 KiB, which nobody else sees."""
    wrapper = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o size=64k none {folder} && exec "$@"', "sh"]
    probe = subprocess.run([*wrapper, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    if not probe or probe.returncode != 0:
        pytest.skip("no file system of its own can be mounted here")
    return wrapper


def test_a_full_disk_costs_lines_alone_and_they_come_back_with_space(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    wrapper = small_disk(folder)
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"file:{folder}/log"), defaults=ALL,
                wrapper=wrapper) as superd:
        disk = Path(f"/proc/{superd.pid}/root{folder}")
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - 8192))
        for _ in range(200):
            converse(superd)
        superd.wait_for("echo", served=200)
        assert superd.wait_for_event("log lines lost")["unwritten"] > 0
        ballast.unlink()
        converse(superd)
        poll_until(lambda: "log lines lost" in (disk / "log").read_text(), what="lines come back")
        text = (disk / "log").read_text()
        whole = [line for line in text.splitlines() if line.endswith("}")]
        assert len(text.splitlines()) - len(whole) <= 1, "one line may be cut where the disk was full"
        assert [json.loads(line) for line in whole][-1]
        assert superd.stop() == DRAINED


# --- nobody reads ---


def config_for(tmp_path, settings):
    config = tmp_path / "superd.toml"
    config.write_text(f'[superd]\n{settings}[service.echo]\nlisten = ["unix:{tmp_path}/s"]\nlog_conversations = "all"\n'
                      f'log_rate = 1000000\nlevel = 800\nper_client = 800\n')
    return config


def first_connection(path):
    """A socket has its name a little before somebody listens on it."""
    def attempt():
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return connect(socket.AF_UNIX, str(path))
        return None

    return poll_until(attempt, what="superd listens")


def ask(path, text=b"hello"):
    with first_connection(path) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        assert recv_all(client) == text


def test_a_standard_error_that_nobody_reads_holds_up_nobody_and_is_told_later(tmp_path):
    reading, writing = os.pipe()
    process = subprocess.Popen([PROGRAM, "--config", config_for(tmp_path, "")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=writing)
    os.close(writing)
    try:
        # The reader's pipe holds 64 KiB, ours a megabyte; a line has about 150 bytes.
        for _ in range(12_000):
            ask(tmp_path / "s")
        with open(reading, "rb") as log:
            text = b""
            while b"log lines lost" not in text:
                text += log.read1(1 << 16)
                ask(tmp_path / "s")
            lost = re.search(rb"log lines lost dropped=(\d+) unwritten=(\d+)", text)
            assert int(lost[1]) + int(lost[2]) > 0
            process.terminate()
            text += log.read()
        assert process.wait(PATIENCE) == DRAINED
        stamped = [line for line in text.decode().splitlines() if re.match(STAMP, line)]
        assert len(text.splitlines()) - len(stamped) <= 1
        assert " ended cut=0" in stamped[-1]
    finally:
        process.kill()
        process.wait()


def test_superd_ends_though_nobody_reads_its_standard_error(tmp_path):
    reading, writing = os.pipe()
    process = subprocess.Popen([PROGRAM, "--config", config_for(tmp_path, "")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=writing)
    os.close(writing)
    try:
        for _ in range(1000):
            ask(tmp_path / "s")
        process.terminate()
        assert process.wait(PATIENCE) == DRAINED
    finally:
        process.kill()
        process.wait()
        os.close(reading)


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_log_file_works_without_standard_streams(tmp_path, closed):
    config = config_for(tmp_path, f'log_to = "file:{tmp_path}/log"\nlog = "json"\n')
    process = subprocess.Popen(["/bin/sh", "-c", f'exec "$0" "$@" {closed}', PROGRAM, "--config", str(config)])
    try:
        ask(tmp_path / "s")
        process.terminate()
        assert process.wait(PATIENCE) == DRAINED
        events = [line["event"] for line in objects_in(tmp_path / "log")]
        assert sorted(events[:2]) == ["conversation ended", "listening"]
        assert events[2:] == ["draining", "counters", "log", "ended"]
    finally:
        process.kill()
        process.wait()


# --- the log process ---


def log_process_of(superd):
    found = superd.processes_called("superd:log")
    return found[0] if len(found) == 1 else None


def test_a_log_process_that_is_killed_is_replaced_while_all_goes_on(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, defaults=ALL) as superd:
        for _ in range(2):
            first = poll_until(lambda: log_process_of(superd), what="there is a log process")
            os.kill(first, signal.SIGKILL)
            superd.wait_for_event("log process started anew")
            poll_until(lambda: log_process_of(superd) not in (None, first), what="there is another one")
            converse(superd)
        superd.wait_for("echo", served=2)
        assert len(superd.events("conversation ended")) == 2
        assert not superd.strays()


def test_a_log_process_that_hangs_holds_up_nobody(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, defaults=ALL) as superd:
        log = log_process_of(superd)
        os.kill(log, signal.SIGSTOP)
        for _ in range(300):
            converse(superd)
        os.kill(log, signal.SIGCONT)
        superd.wait_for("echo", served=300)
        assert len(superd.events("conversation ended")) == 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_what_is_sent_to_all_processes_does_not_end_the_log(tmp_path, number):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}) as superd:
        log = log_process_of(superd)
        os.kill(log, number)
        converse(superd)
        superd.wait_for("echo", served=1)
        assert is_alive(log)
        assert superd.stop() == DRAINED
        assert superd.events()[-1]["event"] == "ended"


def test_the_log_process_has_no_rights_that_it_does_not_need(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"]}}, settings=places(f"file:{tmp_path}/log")) as superd:
        text = Path(f"/proc/{log_process_of(superd)}/status").read_text()
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        # Standard streams, the pipe, the file, the signal, the board of what is lost.
        assert len(os.listdir(f"/proc/{log_process_of(superd)}/fd")) <= 7


# --- what is said of conversations ---


@pytest.mark.parametrize("design", ["iterative", "threads", "processes", "preforked", "event", "adaptive"])
def test_a_conversation_has_one_line_that_says_all_of_it(tmp_path, design):
    with Superd(tmp_path, {"echo": {"listen": ["tcp"], "design": design, "log_conversations": "all"}}) as superd:
        with superd.connect("echo") as client:
            client.sendall(b"hello")
            assert recv_exactly(client, 5) == b"hello"
            here, there = client.getsockname(), client.getpeername()
        line = superd.wait_for_event("conversation ended")
        assert line["service"] == "echo" and line["end"] == "finished"
        assert line["client"] == f"{here[0]}:{here[1]}" and line["on"] == f"tcp/{there[0]}:{there[1]}"
        assert line["in"] == line["out"] == 5 and line["us"] > 0 and line["waited_us"] >= 0
        assert line["process"] in superd.processes() or design == "processes"
        assert len(superd.events("conversation ended")) == 1


def test_by_default_only_failures_have_a_line(tmp_path):
    services = {"echo": {"listen": ["tcp", "udp"], "idle": "100ms"}}
    with Superd(tmp_path, services) as superd:
        converse(superd)
        superd.ask("echo", b"hello")
        with superd.connect("echo") as silent:
            assert recv_all(silent) == b""
        superd.wait_for("echo", served=2, timed_out_idle=1)
        line = superd.wait_for_event("conversation ended")
        assert line["end"] == "idle" and line["us"] >= 100_000
        assert len(superd.events("conversation ended")) == 1


def test_none_has_a_line_where_none_is_wanted(tmp_path):
    services = {"echo": {"listen": ["tcp"], "idle": "100ms", "log_conversations": "none"}}
    with Superd(tmp_path, services) as superd:
        with superd.connect("echo") as silent:
            assert recv_all(silent) == b""
        superd.wait_for("echo", timed_out_idle=1)
        superd.stop()
        assert not superd.events("conversation ended")


def test_a_datagram_has_a_line_where_all_are_wanted(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["udp"], "log_conversations": "all"}}) as superd:
        with superd.datagrams("echo") as client:
            client.send(b"hello")
            assert client.recv(100) == b"hello"
            here = client.getsockname()
        line = superd.wait_for_event("conversation ended")
        assert line["client"] == f"{here[0]}:{here[1]}" and line["on"].startswith("udp/127.0.0.1:")
        assert line["in"] == 5


def test_a_client_of_a_unix_socket_is_its_user(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["unix"], "log_conversations": "all"}}) as superd:
        converse(superd)
        assert superd.wait_for_event("conversation ended")["client"] == f"uid {os.getuid()}"


def test_a_program_has_a_line_with_its_client_its_end_and_its_cost(tmp_path):
    services = {"it": {"listen": ["tcp"], "program": ["/bin/sh", "-c", "exit 3"]}}
    with Superd(tmp_path, services) as superd:
        with superd.connect("it") as client:
            here = client.getsockname()
            assert recv_all(client) == b""
        line = superd.wait_for_event("program ended")
        assert line["client"] == f"{here[0]}:{here[1]}" and line["end"] == "exit code 3"
        assert line["us"] > 0 and line["cpu_ms"] >= 0 and line["most_kb"] > 0


def test_a_flood_of_failures_is_bounded_counted_and_summed_up(tmp_path):
    services = {"it": {"listen": ["tcp"], "program": ["/bin/false"], "log_rate": 3}}
    with Superd(tmp_path, services) as superd:
        def is_summed_up():
            with superd.connect("it") as client:
                assert recv_all(client) == b""
            return superd.events("lines left out of the log", of="conversations")

        told = poll_until(is_summed_up, what="what was left out is told")[0]
        counters = superd.counters("it")
        assert 0 < told["count"] <= counters["unlogged"]
        assert len(superd.events("program ended")) < counters["failed"]


def test_a_program_that_says_too_much_is_not_written_down_in_full(tmp_path):
    script = "i=0; while [ $i -lt 200 ]; do echo word >&2; i=$((i+1)); done"
    services = {"it": {"listen": ["tcp"], "program": ["/bin/sh", "-c", script], "log_rate": 7}}
    with Superd(tmp_path, services) as superd:
        def is_summed_up():
            with superd.connect("it") as client:
                assert recv_all(client) == b""
            return superd.events("lines left out of the log", of="what programs say")

        poll_until(is_summed_up, what="what was left out is told")
        counters = superd.counters("it")
        assert len(superd.events("program says")) < counters["unlogged"]


# --- what others write into it ---


HOSTILE = "a\\nb: 2026 info ended\\r\\033[2J\\0end \\303\\251 \\377 \\\" service=x"


@pytest.mark.parametrize("log", ["json", "text"])
def test_nobody_writes_a_line_of_his_own_into_the_log(tmp_path, log):
    file = tmp_path / "log"
    services = {"it": {"listen": ["tcp"], "program": ["/bin/sh", "-c", f"printf '{HOSTILE}' >&2; exit 1"]}}
    config = tmp_path / "superd.toml"
    program = json.dumps(services["it"]["program"])
    config.write_text(f'[superd]\nlog = "{log}"\nlog_to = "file:{file}"\n'
                      f'[service.it]\nlisten = "unix:{tmp_path}/s"\nprogram = {program}\n')
    process = subprocess.Popen([PROGRAM, "--config", config], stdin=subprocess.DEVNULL)
    try:
        with first_connection(tmp_path / "s") as client:
            assert recv_all(client) == b""
        poll_until(lambda: "program ended" in file.read_text(errors="replace"), seconds=20, what="it is logged")
        process.terminate()
        assert process.wait(PATIENCE * SLOWNESS) == DRAINED
    finally:
        process.kill()
        process.wait()
    text = file.read_bytes()
    assert all(byte == 10 or 32 <= byte < 127 for byte in text)
    if log == "json":
        assert all(line["event"] for line in objects_in(file))
    else:
        assert all(re.match(STAMP + " (debug|info|warning|error) ", line) for line in text.decode().splitlines())
