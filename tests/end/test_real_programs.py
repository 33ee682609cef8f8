"""Programs that people run under a super-server, driven by their own clients, each with a user, limits and a sandbox of
its own where it may have one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import PATIENCE, Superd, poll_until
from peers import program as of_system

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give a program a user of its own")
SYSTEM = ["/usr", "/bin", "/lib", "/lib64"]
SANDBOX = {"seccomp": ["confined"], "best_effort": True, "execute_paths": [path for path in SYSTEM if os.path.exists(path)],
           "rlimits": ["nofile=256", "core=0"]}
AS_NOBODY = {"user": "nobody"} if IS_ROOT else {}


@pytest.fixture
def area(tmp_path):
    """A folder that other users can reach: pytest's own are closed to them."""
    folder = Path("/var/tmp") / f"superd-{os.getpid()}-{tmp_path.name}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def run(*words, fails=False, **options):
    ran = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=PATIENCE,
                         stdin=subprocess.DEVNULL, **options)
    assert fails or ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
    return ran


def test_git_is_cloned_from_its_daemon(tmp_path, area, needs):
    git = needs("git")
    identity = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    work = tmp_path / "work"
    run(git, "init", "-q", work, env=identity)
    (work / "file").write_bytes(os.urandom(300_000))
    run(git, "-C", work, "add", ".", env=identity)
    run(git, "-C", work, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "it", env=identity)
    run(git, "clone", "-q", "--bare", work, area / "it.git", env=identity)
    run("chmod", "-R", "a+rX", area)
    # It does not serve what is another user's unless it is told so.
    (area / "config").write_text("[safe]\n\tdirectory = *\n")
    service = {"listen": ["tcp"], "program": [git, "daemon", "--inetd", "--export-all", f"--base-path={area}"],
               "environment": ["PATH=/usr/bin:/bin", f"GIT_CONFIG_GLOBAL={area}/config", "GIT_CONFIG_SYSTEM=/dev/null"],
               "read_paths": [str(area), "/etc", "/proc"], "write_paths": ["/dev/null"], **AS_NOBODY, **SANDBOX}
    with Superd(tmp_path, {"it": service}) as superd:
        for number in (1, 2):
            run(git, "clone", "-q", f"git://127.0.0.1:{superd.port('it')}/it.git", tmp_path / f"copy{number}", env=identity)
            assert (tmp_path / f"copy{number}/file").read_bytes() == (work / "file").read_bytes()
        refused = run(git, "clone", "-q", f"git://127.0.0.1:{superd.port('it')}/nonesuch", tmp_path / "no", fails=True,
                      env=identity)
        assert refused.returncode != 0
        assert superd.wait_for("it", served=2)["crashed"] == 0


@needs_root
def test_rsync_gives_and_takes_files(tmp_path, area, needs):
    rsync = needs("rsync")
    (area / "tree/deep").mkdir(parents=True)
    (area / "tree/deep/file").write_bytes(os.urandom(200_000))
    (area / "drop").mkdir()
    shutil.chown(area / "drop", "nobody")
    (area / "rsyncd.conf").write_text(f"use chroot = no\nnumeric ids = yes\n[tree]\npath = {area}/tree\n"
                                      f"[drop]\npath = {area}/drop\nread only = no\n")
    service = {"listen": ["tcp"], "program": [rsync, "--daemon", f"--config={area}/rsyncd.conf"],
               "read_paths": [str(area), "/etc"], "write_paths": [str(area / "drop"), "/dev/null"], **AS_NOBODY, **SANDBOX}
    with Superd(tmp_path, {"it": service}) as superd:
        url = f"rsync://127.0.0.1:{superd.port('it')}"
        run(rsync, "-r", f"{url}/tree/", tmp_path / "copy/")
        assert (tmp_path / "copy/deep/file").read_bytes() == (area / "tree/deep/file").read_bytes()
        run(rsync, "-r", f"{tmp_path}/copy/", f"{url}/drop/")
        # The daemon puts the file in its place when its client has gone already.
        superd.wait_for("it", served=2)
        assert (area / "drop/deep/file").stat().st_uid == int(run("id", "-u", "nobody").stdout)


@needs_root
def test_tftp_is_served_by_a_program_that_waits(tmp_path, area, needs):
    daemon, client = of_system("in.tftpd"), needs("tftp")
    (area / "file").write_bytes(os.urandom(20_000))
    (area / "file").chmod(0o644)
    # It changes its root and its user by itself.
    service = {"listen": ["udp/127.0.0.1:{port}"], "program": [daemon, "-s", str(area)], "wait": True,
               "capabilities": ["setuid", "setgid", "sys_chroot", "net_bind_service"], "rlimits": ["nofile=64", "core=0"]}
    with Superd(tmp_path, {"it": service}) as superd:
        for number in (1, 2):
            copy = tmp_path / f"copy{number}"
            poll_until(lambda: run(client, "-m", "binary", "127.0.0.1", superd.port("it"), "-c", "get", "file", copy,
                                   fails=True) and copy.exists() and copy.stat().st_size == 20_000, what="the file comes")
            assert copy.read_bytes() == (area / "file").read_bytes()
        superd.cut()


@needs_root
def test_ftp_is_served_by_vsftpd(tmp_path, area, needs):
    daemon, curl = of_system("vsftpd"), needs("curl")
    (area / "file").write_bytes(os.urandom(100_000))
    (area / "file").chmod(0o644)
    config = area / "vsftpd.conf"
    Path("/var/run/vsftpd/empty").mkdir(parents=True, exist_ok=True)
    config.write_text(f"listen=NO\nanonymous_enable=YES\nanon_root={area}\nno_anon_password=YES\nftp_username=bin\n"
                      "nopriv_user=nobody\nseccomp_sandbox=NO\n")
    service = {"listen": ["tcp"], "program": [daemon, str(config)], "stderr": "nowhere",
               "rlimits": ["nofile=256", "core=0"]}
    with Superd(tmp_path, {"it": service}) as superd:
        url = f"ftp://127.0.0.1:{superd.port('it')}"
        run(curl, "-sS", f"{url}/file", "-o", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == (area / "file").read_bytes()
        assert "file" in run(curl, "-sS", f"{url}/").stdout
        # It calls it a failure that a client says no good-bye.
        superd.wait_for_level("it", 0)
        assert superd.wait_for("it", accepted=2)["crashed"] == 0


def test_ssh_is_served_by_sshd(tmp_path, area, needs):
    daemon, client, keygen = of_system("sshd"), needs("ssh"), needs("ssh-keygen")
    user = run("id", "-un").stdout.strip()
    for name in ("host", "user"):
        run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", area / name)
    (area / "authorized").write_text((area / "user.pub").read_text())
    if IS_ROOT:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (area / "config").write_text(f"HostKey {area}/host\nAuthorizedKeysFile {area}/authorized\nStrictModes no\nUsePAM no\n"
                                 "PasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n")
    # sshd makes its own sandbox, and becomes whom it lets in.
    service = {"listen": ["tcp"], "program": [daemon, "-i", "-f", str(area / "config")], "rlimits": ["core=0"],
               "level": 10, "total": "30s"}
    with Superd(tmp_path, {"it": service}) as superd:
        words = [client, "-i", area / "user", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                 "UserKnownHostsFile=/dev/null", "-F", "/dev/null", "-p", superd.port("it"), f"{user}@127.0.0.1"]
        assert run(*words, "echo it is $((6 * 7)); exit 0").stdout == "it is 42\n"
        assert run(*words, "exit 3", fails=True).returncode == 3
        superd.wait_for_level("it", 0)
