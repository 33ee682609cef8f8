"""superctl and the service tftp, through bad networks and across a restart."""

import hashlib
import os
import subprocess

import pytest

from harness import BUILD, PATIENCE, poll_until
from lossy_relay import LossyRelay, Manners
from peers import superctl

BIG = os.urandom(10 * 1000 * 1000)
LOSSES = {
    "30-percent-lost": (Manners(drop=0.3), ("--block", 8192)),
    "doubled": (Manners(duplicate=0.5), ()),
    "out-of-order": (Manners(reorder=0.1, delay=0.001), ("--block", 8192)),
    "all-of-it": (Manners(drop=0.1, duplicate=0.1, reorder=0.1, delay=0.001), ("--block", 8192)),
}


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "10MB").write_bytes(BIG)
    return folder


@pytest.fixture
def tftp(superd, tree):
    return superd({"tftp": {"listen": ["udp"], "files": tree, "uploads": tree}})


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("manners, options", LOSSES.values(), ids=LOSSES)
def test_ten_megabytes_survive_a_bad_network(tftp, tmp_path, manners, options):
    with LossyRelay(tftp.port("tftp"), manners) as relay:
        done = superctl("get", *options, f"tftp://127.0.0.1:{relay.port}/10MB", "-o", tmp_path / "here")
    assert done.stdout.split()[0] == digest(BIG)
    assert (tmp_path / "here").read_bytes() == BIG
    assert all((relay.counts[what] > 0) == (getattr(manners, what) > 0) for what in ("drop", "duplicate", "reorder"))


def test_an_upload_survives_a_bad_network(tftp, tree, tmp_path):
    (tmp_path / "file").write_bytes(BIG[:1_000_000])
    with LossyRelay(tftp.port("tftp"), LOSSES["all-of-it"][0]) as relay:
        superctl("put", tmp_path / "file", f"tftp://127.0.0.1:{relay.port}/brought")
    poll_until(lambda: (tree / "brought").exists(), what="the server has named it")
    assert (tree / "brought").read_bytes() == BIG[:1_000_000]


@pytest.fixture
def slow_fetch(tftp, tmp_path):
    """A fetch that takes some seconds, and has begun."""
    with LossyRelay(tftp.port("tftp"), Manners(delay=0.005)) as relay:
        def begin(*options):
            client = subprocess.Popen(
                [BUILD / "superctl", "get", "--window", "4", *options, f"tftp://127.0.0.1:{relay.port}/10MB",
                 "-o", tmp_path / "here"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            partial = tmp_path / "here.part"
            poll_until(lambda: partial.exists() and partial.stat().st_size > 100_000, what="it has begun")
            return client

        yield begin


def test_a_fetch_whose_server_was_killed_fails_and_is_asked_for_again(tftp, slow_fetch, tmp_path):
    client = slow_fetch("--tries", "1", "--patience", "2s")
    tftp.kill_and_start_again()
    errors = client.communicate(timeout=PATIENCE)[1]
    assert client.returncode == 111
    assert errors.count("\n") == 1 and "superctl: get tftp://" in errors
    assert not list(tmp_path.glob("here*"))
    done = superctl("get", f"tftp://127.0.0.1:{tftp.port('tftp')}/10MB", "-o", tmp_path / "here")
    assert done.stdout.split()[0] == digest(BIG)


def test_a_fetch_asks_again_from_the_beginning_by_itself(tftp, slow_fetch):
    client = slow_fetch("--patience", "2s")
    tftp.kill_and_start_again()
    output, errors = client.communicate(timeout=4 * PATIENCE)
    assert client.returncode == 0, errors
    assert "asking again from the beginning" in errors
    assert output.split()[0] == digest(BIG)
