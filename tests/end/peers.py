"""Servers of others, in the foreground, on loopback, and ended with the test."""

import contextlib
import shutil
import socket
import subprocess

import pytest

from harness import BUILD, PATIENCE, ROOT, free_port, poll_until

# Where ./dev unpacks packages that it does not install: they would start their servers.
UNPACKED = ROOT / "build/peers/usr/sbin"


def program(name):
    path = shutil.which(name, path=f"{UNPACKED}:/usr/sbin:/usr/bin:/usr/local/bin")
    if not path:
        pytest.skip(f"{name} is not there")
    return path


def superctl(*arguments, code=0, **options):
    """One call of superctl that ends by itself, and how."""
    options.setdefault("timeout", 6 * PATIENCE)
    done = subprocess.run([str(BUILD / "superctl"), *map(str, arguments)], text=True, capture_output=True, **options)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done


@contextlib.contextmanager
def running(*command, ready, **options):
    """A process that serves once ready() is true, and is ended by its number."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, **options)
    try:
        poll_until(lambda: process.poll() is not None or ready(), what=f"{command[0]} serves")
        assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
        yield process
    finally:
        process.kill()
        process.wait()


def is_bound(port):
    """Whether somebody has the datagram port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def tftpd_hpa(folder, port):
    return [program("in.tftpd"), "--foreground", "--ipv4", "--address", f"127.0.0.1:{port}", "--create", "--permissive",
            "--user", "root", "--secure", folder]


def atftpd(folder, port):
    return [program("atftpd"), "--daemon", "--no-fork", "--user", "root.root", "--bind-address", "127.0.0.1",
            "--port", port, folder]


def dnsmasq(folder, port):
    """It serves TFTP at port 69 alone, so at an address of its own."""
    return [program("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--enable-tftp",
            f"--tftp-root={folder}", "--listen-address=127.0.0.1", "--bind-interfaces"]


@contextlib.contextmanager
def tftp_server(command, folder):
    """The port of one of these three."""
    port = free_port()
    with running(*command(folder, port), ready=lambda: is_bound(port)):
        yield port
