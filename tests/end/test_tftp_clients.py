"""TFTP by the clients that people have: tftp-hpa, atftp, curl and busybox, each with the options it knows."""

import os
import subprocess

import pytest

from harness import PATIENCE, ROOMY, Superd

SIZES = {"empty": 0, "one": 1, "block": 512, "big": 700_001, "round": 1428 * 100}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    tree, uploads = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("uploads")
    tree.chmod(0o755)
    for name, size in SIZES.items():
        (tree / name).write_bytes(os.urandom(size))
        (tree / name).chmod(0o644)
    service = {"listen": ["udp", "udp6"], "files": str(tree), "uploads": str(uploads), "overwrite": True, **ROOMY}
    with Superd(tree.parent, {"tftp": service}) as running:
        running.tree, running.uploads = tree, uploads
        yield running


def curl(*options):
    def commands(port, name, path, puts):
        what = ["-T", path] if puts else ["-o", path]
        return ["curl", "-sS", *options, *what, f"tftp://127.0.0.1:{port}/{name}"], ""
    return commands


def atftp(*options):
    def commands(port, name, path, puts):
        words = [word for option in options for word in ("--option", option)]
        return ["atftp", *words, "-p" if puts else "-g", "-l", path, "-r", name, "127.0.0.1", str(port)], ""
    return commands


def busybox(*options):
    def commands(port, name, path, puts):
        return ["busybox", "tftp", "-p" if puts else "-g", *options, "-l", path, "-r", name, "127.0.0.1", str(port)], ""
    return commands


def hpa(mode):
    def commands(port, name, path, puts):
        order = f"put {path} {name}" if puts else f"get {name} {path}"
        return ["tftp", "-m", mode, "127.0.0.1", str(port)], f"{order}\nquit\n"
    return commands


CLIENTS = {
    "curl": curl(), "curl-1428": curl("--tftp-blksize", "1428"), "curl-no-options": curl("--tftp-no-options"),
    "curl-65464": curl("--tftp-blksize", "65464"),
    "atftp": atftp(), "atftp-1428": atftp("blksize 1428"), "atftp-window": atftp("blksize 1428", "windowsize 16"),
    "atftp-all": atftp("blksize 1024", "windowsize 4", "timeout 3", "tsize 0"),
    "busybox": busybox(), "busybox-1428": busybox("-b", "1428"),
    "hpa": hpa("octet"), "hpa-ascii": hpa("ascii"),
}


def call(client, *arguments):
    command, orders = CLIENTS[client](*map(str, arguments))
    done = subprocess.run(command, input=orders.encode(), capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, (command, done.stdout, done.stderr)


@pytest.fixture(params=CLIENTS)
def client(request, needs):
    needs({"hpa": "tftp"}.get(request.param.partition("-")[0], request.param.partition("-")[0]))
    return request.param


@pytest.mark.parametrize("name", SIZES)
def test_a_client_gets_files(program, client, name, tmp_path):
    got = tmp_path / "got"
    call(client, program.port("tftp"), name, got, "")
    assert got.read_bytes() == (program.tree / name).read_bytes()


@pytest.mark.parametrize("name", SIZES)
def test_a_client_puts_files(program, client, name, tmp_path):
    source = tmp_path / "source"
    source.write_bytes((program.tree / name).read_bytes())
    (program.uploads / name).unlink(missing_ok=True)
    call(client, program.port("tftp"), name, source, "puts")
    assert (program.uploads / name).read_bytes() == source.read_bytes()
