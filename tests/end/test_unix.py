"""Unix sockets: their file's rights, and what may stand in its way."""

import os
import pwd
import socket
import stat

import pytest

from harness import Superd, connect, recv_exactly, run_superd


def config(path, **settings):
    lines = ["[service.echo]", f'listen = ["unix:{path}"]'] + [f'{key} = "{value}"' for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def test_the_file_has_mode_and_owner_as_configured(superd):
    settings = {"listen": ["unix"], "mode": "0640"}
    if os.geteuid() == 0:
        settings |= {"owner": "nobody", "owner_group": "nogroup"}
    status = os.stat(superd({"echo": settings}).place("echo").address)
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o640
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        assert (status.st_uid, status.st_gid) == (nobody.pw_uid, nobody.pw_gid)


def test_the_mode_is_everybodys_by_default_whatever_the_umask(tmp_path):
    with Superd(tmp_path, {"echo": {"listen": ["unix"]}}, umask=0o077) as program:
        assert stat.S_IMODE(os.stat(program.place("echo").address).st_mode) == 0o666


def test_a_stale_socket_is_replaced(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
        stale.listen()
    before = os.stat(path).st_ino, os.stat(path).st_ctime_ns
    with Superd(tmp_path, {"echo": {"listen": [f"unix:{path}"]}}) as program:
        assert (os.stat(path).st_ino, os.stat(path).st_ctime_ns) != before
        with program.connect("echo") as client:
            client.sendall(b"anew")
            assert recv_exactly(client, 4) == b"anew"


def test_a_killed_superd_leaves_nothing_that_hinders_the_next(tmp_path):
    path = tmp_path / "s"
    services = {"echo": {"listen": [f"unix:{path}"]}}
    with Superd(tmp_path, services) as first:
        first._kill()
    assert path.exists()
    with Superd(tmp_path, services) as second, second.connect("echo") as client:
        client.sendall(b"again")
        assert recv_exactly(client, 5) == b"again"


def test_a_live_socket_is_refused_and_goes_on(superd, tmp_path):
    program = superd({"echo": {"listen": ["unix"]}})
    path = program.place("echo").address
    file = tmp_path / "second.toml"
    file.write_text(config(path))
    second = run_superd("--config", file)
    assert second.returncode == 111
    assert path in second.stderr and "another program listens there" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    with connect(socket.AF_UNIX, path) as client:
        client.sendall(b"still here")
        assert recv_exactly(client, 10) == b"still here"


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(tmp_path, kind):
    path = tmp_path / "precious"
    if kind == "file":
        path.write_text("data")
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "target").write_text("data")
        path.symlink_to(tmp_path / "target")
    file = tmp_path / "superd.toml"
    file.write_text(config(path))
    done = run_superd("--config", file)
    assert done.returncode == 111
    assert "not a socket" in done.stderr
    if kind == "folder":
        assert path.is_dir()
    else:
        assert path.read_text() == "data"
    assert path.is_symlink() == (kind == "link")


def test_many_clients_of_one_user_share_its_bound(superd):
    program = superd({"echo": {"listen": ["unix"], "per_client": 2}})
    clients = [program.connect("echo") for _ in range(3)]
    try:
        program.wait_for("echo", refused_client=1)
        assert program.counters("echo")["level"] == 2
    finally:
        for client in clients:
            client.close()
