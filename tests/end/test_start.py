"""The start: what the system refuses, what is served without a file, and odd standard streams."""

import contextlib
import os
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from harness import (PATIENCE, PROGRAM, assert_sane, chargen_lines, connect, datagram_socket, free_port, poll_until,
                     recv_all, recv_exactly, run_superd)

DRAINED, TRY_AGAIN = 0, 111
SERVICES = {"echo": 7, "discard": 9, "daytime": 13, "qotd": 17, "chargen": 19, "time": 37}


@pytest.fixture
def file(tmp_path):
    """Writes a configuration; its path."""
    def write(text):
        path = tmp_path / "superd.toml"
        path.write_text(text)
        return path

    return write


def free_port_base():
    """A base under which every port of the super server is free."""
    for _ in range(100):
        base = free_port()
        with contextlib.ExitStack() as bound, contextlib.suppress(OSError):
            for port in SERVICES.values():
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    bound.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", base + port))
            return base
    raise AssertionError("no port base is free")


class Running:
    """A superd whose options are the test's own; ended with the with statement."""

    def __init__(self, *arguments, **options):
        self.arguments, self.options = arguments, options

    def __enter__(self):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **self.options}
        self.process = subprocess.Popen([*map(str, self.arguments)], text=True, **options)
        return self

    def stop(self):
        self.process.terminate()
        output, errors = self.process.communicate(timeout=PATIENCE)
        assert_sane(self.process.returncode, errors or "")
        return self.process.returncode, output, errors

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


# --- what the system refuses ---


@pytest.mark.parametrize("transport, kind", [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_port_in_use_is_one_line_with_the_remedy(file, transport, kind):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if transport == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        done = run_superd("--config", file(f'[service.echo]\nlisten = ["{transport}/127.0.0.1:{port}"]\n'))
    assert (done.returncode, done.stdout) == (TRY_AGAIN, "")
    assert len(done.stderr.splitlines()) == 1
    for word in ("service echo", f"{transport} 127.0.0.1:{port}", "in use", "choose another port or stop it"):
        assert word in done.stderr


def test_all_that_cannot_be_bound_is_told_at_once(file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_superd("--config", file(
            f'[service.echo]\nlisten = ["tcp/127.0.0.1:{port}", "tcp/192.0.2.1:{free_port()}"]\n'
            f'[service.time]\nlisten = ["unix:/nonexistent/s"]\n'))
    assert done.returncode == TRY_AGAIN
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    for line, word in zip(lines, ("in use", "192.0.2.1", "/nonexistent/s")):
        assert word in line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_low_port_without_the_right_to_it_is_one_line_with_the_remedy(needs):
    setpriv = needs("setpriv")
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 7:
        pytest.skip("everybody may have low ports on this machine")
    # The tests' own folder is root's alone.
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        folder.chmod(0o755)
        program, path = folder / "superd", folder / "superd.toml"
        shutil.copy(PROGRAM, program)
        path.write_text('[service.echo]\nlisten = ["tcp/127.0.0.1:7"]\n')
        done = subprocess.run([setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
                               "--inh-caps=-all", program, "--config", path],
                              capture_output=True, text=True, timeout=PATIENCE)
    finally:
        shutil.rmtree(folder)
    assert done.returncode == TRY_AGAIN, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "permission denied" in done.stderr and "CAP_NET_BIND_SERVICE or port_base" in done.stderr


# --- without a file ---


def test_without_a_file_the_super_server_is_served_and_tells_where():
    base = free_port_base()
    with Running(PROGRAM, "--port-base", base) as superd:
        greeting = "".join(iter(superd.process.stdout.readline, "\n"))
        table = "".join(iter(superd.process.stdout.readline, "\n"))
        assert "superd serves" in greeting
        for name, port in SERVICES.items():
            for transport in ("tcp", "udp"):
                assert re.search(rf"^  {name} +{transport}/127\.0\.0\.1:{base + port} +\S.*{base + port}", table, re.M)
        with connect(socket.AF_INET, ("127.0.0.1", base + 7)) as client:
            client.sendall(b"hello")
            assert recv_exactly(client, 5) == b"hello"
        with connect(socket.AF_INET, ("127.0.0.1", base + 19)) as client:
            assert recv_exactly(client, 148) == chargen_lines(2)
        with connect(socket.AF_INET, ("127.0.0.1", base + 37)) as client:
            assert len(recv_all(client)) == 4
        for port in (7, 13, 17, 37):
            with datagram_socket(socket.AF_INET, ("127.0.0.1", base + port)) as client:
                client.send(b"?")
                assert client.recv(1000)
        assert superd.stop()[0] == DRAINED


def test_every_line_to_try_works(needs):
    """What a newcomer is told to type."""
    for program in ("nc", "rdate", "head"):
        needs(program)
    base = free_port_base()
    with Running(PROGRAM, "--port-base", base) as superd:
        for _ in iter(superd.process.stdout.readline, "\n"):
            pass
        lines = list(iter(superd.process.stdout.readline, "\n"))
        assert len(lines) == 2 * len(SERVICES)
        commands = [line.split(maxsplit=2)[2] for line in lines]
        tries = [subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE) for command in commands]
        for line, each in zip(lines, tries):
            answer = each.communicate(timeout=PATIENCE)[0]
            assert each.returncode == 0, line
            assert bool(answer) == ("discard" not in line), line
        superd.stop()


# --- odd beginnings ---


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_do_not_become_a_clients(file, tmp_path, closed):
    """Else the first client's socket would be descriptor 2, and get the log."""
    path = tmp_path / "s"
    text = f'[superd]\nlog_level = "debug"\n[service.echo]\nlisten = ["unix:{path}"]\n'
    with Running("/bin/sh", "-c", f'exec "$0" "$@" {closed}', PROGRAM, "--config", file(text)) as superd:
        poll_until(path.exists, what="superd listens")
        descriptors = Path(f"/proc/{superd.process.pid}/fd")
        client = poll_until(lambda: try_connect(path), what="superd listens")
        with client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            assert recv_all(client) == b"hello"
        for number in range(3):
            status = os.stat(descriptors / str(number))
            assert not stat.S_ISSOCK(status.st_mode)
        assert superd.stop()[0] == DRAINED


def try_connect(path):
    try:
        return connect(socket.AF_UNIX, str(path))
    except OSError:
        return None


def test_a_full_standard_error_ends_nothing(file, tmp_path):
    path = tmp_path / "s"
    text = f'[superd]\nlog_level = "debug"\n[service.echo]\nlisten = ["unix:{path}"]\n'
    with open("/dev/full", "w") as full, Running(PROGRAM, "--config", file(text), stderr=full) as superd:
        client = poll_until(lambda: try_connect(path), what="superd listens")
        with client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            assert recv_all(client) == b"hello"
        assert superd.stop()[0] == DRAINED


def test_a_reader_of_the_log_who_is_gone_ends_nothing(file, tmp_path):
    path = tmp_path / "s"
    text = f'[superd]\nlog_level = "debug"\n[service.echo]\nlisten = ["unix:{path}"]\n'
    reading, writing = os.pipe()
    with Running(PROGRAM, "--config", file(text), stderr=writing) as superd:
        os.close(writing)
        client = poll_until(lambda: try_connect(path), what="superd listens")
        os.close(reading)
        with client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            assert recv_all(client) == b"hello"
        assert superd.stop()[0] == DRAINED
