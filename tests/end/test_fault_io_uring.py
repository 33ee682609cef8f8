"""Where the kernel has no io_uring, or forbids it, superd says so and names the other engines (fault 61)."""

import errno
import subprocess

import pytest

from fault_tools import IO_URING_SETUP, forbid, is_echoed
from harness import PATIENCE, PROGRAM, assert_sane, free_port, tables

OTHERS = [engine["name"] for engine in tables()["engines"] if engine["name"] != "io_uring"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOSYS], ids=["forbidden", "missing"])
def test_without_io_uring_superd_ends_with_one_line_that_names_the_other_engines(tmp_path, code):
    config = tmp_path / "superd.toml"
    config.write_text(f'[service.echo]\nlisten = ["tcp/127.0.0.1:{free_port()}"]\ndesign = "event"\nengine = "io_uring"\n')
    ended = subprocess.run([PROGRAM, "--config", str(config)], capture_output=True, text=True, timeout=PATIENCE,
                           preexec_fn=forbid(IO_URING_SETUP, code))
    assert_sane(ended.returncode, ended.stderr)
    assert ended.returncode == 111
    lines = ended.stderr.splitlines()
    assert len(lines) == 1 and "io_uring" in lines[0]
    assert all(name in lines[0] for name in OTHERS), lines


@pytest.mark.parametrize("engine", OTHERS)
def test_without_io_uring_the_other_engines_serve(superd, engine):
    program = superd({"echo": {"listen": ["tcp", "udp"], "engine": engine}}, preexec_fn=forbid(IO_URING_SETUP))
    with program.connect("echo") as client:
        assert is_echoed(client)
    assert program.ask("echo", b"hello") == b"hello"
