"""superctl as a command: against servers of others, through a network that loses, and with what it says and returns."""

import hashlib
import os
import signal
import subprocess

import pytest

import peers
from harness import BUILD, PATIENCE, free_port, poll_until
from lossy_relay import LossyRelay, Manners
from peers import superctl

TFTP_SERVERS = {"tftpd-hpa": peers.tftpd_hpa, "atftpd": peers.atftpd}


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def big(served):
    """10 MB that no pattern can stand in for."""
    file = served / "big"
    file.write_bytes(os.urandom(10 * 1000 * 1000))
    return file


@pytest.fixture(params=TFTP_SERVERS)
def tftp_port(request, served):
    if os.geteuid() != 0:
        pytest.skip("it changes its user")
    with peers.tftp_server(TFTP_SERVERS[request.param], served) as port:
        yield port


def digest_of(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


# --- servers of others ---


@pytest.mark.parametrize("options", [(), ("--block", 512, "--window", 1), ("--block", 8192, "--window", 32),
                                     ("--server-timeout", 2)], ids=lambda o: "-".join(map(str, o)) or "as-it-is")
def test_it_fetches_from_tftp_servers_of_others(tftp_port, big, tmp_path, options):
    done = superctl("get", *options, f"tftp://127.0.0.1:{tftp_port}/big", "-o", tmp_path / "here")
    assert done.stdout == f"{digest_of(big)}  {tmp_path / 'here'}\n"
    assert digest_of(tmp_path / "here") == digest_of(big)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1399, 1400, 1401, 2800])
def test_it_fetches_files_of_each_size(tftp_port, served, tmp_path, size):
    (served / "file").write_bytes(os.urandom(size))
    superctl("get", f"tftp://127.0.0.1:{tftp_port}/file", "-o", tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == (served / "file").read_bytes()


@pytest.mark.parametrize("window", [1, 16])
def test_it_brings_to_tftp_servers_of_others(tftp_port, served, big, tmp_path, window):
    target = served / "brought"
    target.touch()
    target.chmod(0o666)
    superctl("put", "--window", window, big, f"tftp://127.0.0.1:{tftp_port}/brought")
    poll_until(lambda: digest_of(target) == digest_of(big), what="the server has written it")


def test_block_numbers_begin_again_behind_65535(tftp_port, served, tmp_path):
    (served / "long").write_bytes(os.urandom(8 * 70_000))
    superctl("get", "--block", 8, "--window", 64, f"tftp://127.0.0.1:{tftp_port}/long", "-o", tmp_path / "here")
    assert digest_of(tmp_path / "here") == digest_of(served / "long")


def test_it_fetches_from_dnsmasq(served, big, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("port 69 is for root")
    big.chmod(0o644)
    namespace = f"superd-{os.getpid()}"
    inside = ["ip", "netns", "exec", namespace]
    if subprocess.run(["ip", "netns", "add", namespace], capture_output=True).returncode != 0:
        pytest.skip("network namespaces are not to be had")
    try:
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)

        def has_answered():
            return subprocess.run([*inside, BUILD / "superctl", "get", "-q", "--patience", "200ms", "tftp://127.0.0.1/big",
                                   "-o", tmp_path / "here"], capture_output=True).returncode == 0

        with peers.running(*inside, *peers.dnsmasq(served, 69), ready=has_answered):
            assert digest_of(tmp_path / "here") == digest_of(big)
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=True)


# --- networks that lose ---


LOSSES = {
    "30-percent-lost": Manners(drop=0.3),
    "doubled": Manners(duplicate=0.5),
    "out-of-order": Manners(reorder=0.2, delay=0.001),
    "all-of-it": Manners(drop=0.1, duplicate=0.1, reorder=0.1, delay=0.001),
}


@pytest.mark.parametrize("manners", LOSSES.values(), ids=LOSSES)
def test_ten_megabytes_from_tftpd_hpa_survive(served, big, tmp_path, manners):
    """Its own pause before it sends again is a second: many blocks would take many of them."""
    if os.geteuid() != 0:
        pytest.skip("it changes its user")
    with peers.tftp_server(peers.tftpd_hpa, served) as port, LossyRelay(port, manners) as relay:
        superctl("get", "--block", 60_000, f"tftp://127.0.0.1:{relay.port}/big", "-o", tmp_path / "here")
        assert relay.counts["passed on"] > 0
    assert digest_of(tmp_path / "here") == digest_of(big)


# --- what it says ---


def test_an_answer_is_one_line_and_a_code(tmp_path):
    nowhere = free_port()
    done = superctl("get", f"fsp://127.0.0.1:{nowhere}/file", code=111, cwd=tmp_path)
    assert done.stderr == f"superctl: get fsp://127.0.0.1:{nowhere}/file: nobody listens at 127.0.0.1:{nowhere}\n"
    done = superctl("get", f"tftp://localhost:{nowhere}/file", code=111, cwd=tmp_path)
    assert done.stderr.count("\n") == 1 and "nobody listens" in done.stderr
    done = superctl("get", "http://example.org/", code=100, cwd=tmp_path)
    assert done.stderr.count("\n") == 1 and "neither fsp:// nor tftp://" in done.stderr
    done = superctl("ls", f"tftp://127.0.0.1:{nowhere}/", code=100, cwd=tmp_path)
    assert "tftp cannot list" in done.stderr
    assert superctl("get", code=100, cwd=tmp_path).stderr
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_an_error_of_the_server_is_told(tftp_port, tmp_path):
    done = superctl("get", f"tftp://127.0.0.1:{tftp_port}/nothing", "-o", tmp_path / "here", code=1)
    assert "no such file" in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("here*"))


def test_a_silent_server_is_given_up(tmp_path):
    with peers.socket.socket(peers.socket.AF_INET, peers.socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        for scheme in ("fsp", "tftp"):
            done = superctl("get", "--patience", "300ms", f"{scheme}://127.0.0.1:{port}/file", code=111, cwd=tmp_path)
            assert f"no answer from 127.0.0.1:{port} for 300ms" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_interrupted_fetch_says_so(tmp_path):
    with peers.socket.socket(peers.socket.AF_INET, peers.socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(PATIENCE)
        client = subprocess.Popen([BUILD / "superctl", "get", f"fsp://127.0.0.1:{silent.getsockname()[1]}/file"],
                                  stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        silent.recv(2000)
        client.send_signal(signal.SIGINT)
        errors = client.communicate(timeout=PATIENCE)[1]
    assert client.returncode == 111
    assert "interrupted" in errors
