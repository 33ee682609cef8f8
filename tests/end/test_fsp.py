"""The service fsp: with packets by hand, with the reference library and gftp, and with superctl through bad networks."""

import ctypes
import hashlib
import os
import struct
import subprocess
import threading

import pytest

import fsp_wire
from fsp_wire import FspClient
from harness import BUILD, PATIENCE, every_way, poll_until
from lossy_relay import LossyRelay, Manners
from peers import superctl

FILES = {b"empty": b"", b"small": b"hello\n", b"block": os.urandom(1024), b"more": os.urandom(1025),
         b"big": os.urandom(300_000), b"folder/inside": b"deep", b"with space": b"x", b"\xc3\xa4": b"umlaut"}


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    (folder / "folder").mkdir(parents=True)
    for name, content in FILES.items():
        (folder / os.fsdecode(name)).write_bytes(content)
    return folder


@pytest.fixture
def fsp(superd, tree):
    """Starts the program with the service, and its settings."""
    def start(**settings):
        return superd({"fsp": {"listen": ["udp"], "files": tree, **settings}})

    return start


def digest(content):
    return hashlib.sha256(content).hexdigest()


# --- reading ---


@pytest.mark.parametrize(**every_way())
def test_it_serves_files_and_directories_under_every_design(fsp, way):
    program = fsp(**way)
    with FspClient(program.port("fsp")) as client:
        for name, content in FILES.items():
            assert client.stat(name)[1:] == (len(content), 1)
            assert client.get(name) == content
        assert client.stat(b"folder")[2] == 2
        assert client.stat(b"nothing") == (0, 0, 0)
        assert set(client.list(b"")) == {name.split(b"/")[0] for name in FILES}
        assert client.list(b"/folder/") == {b"inside": (1, 4)}
        assert client.ask(fsp_wire.BYE).command == fsp_wire.BYE


@pytest.mark.parametrize("table", ["off", "chapter", "safe"])
def test_answers_are_right_with_each_table(fsp, tree, table):
    program = fsp(table=table, table_files=2)
    with FspClient(program.port("fsp")) as client, FspClient(program.port("fsp")) as other:
        for name, content in FILES.items():
            assert client.get(name) == content
            assert other.get(name, 700) == content
        if table != "chapter":
            (tree / "small").write_bytes(b"changed")
            assert client.get(b"small") == b"changed"
            (tree / "small").rename(tree / "elsewhere")
            assert client.ask(fsp_wire.GET_FILE, b"small\0").command == fsp_wire.ERR


@pytest.mark.parametrize("block", [1, 512, 1024, 1025, 8192, 60_000])
def test_a_client_chooses_the_size_of_blocks(fsp, block):
    program = fsp()
    with FspClient(program.port("fsp")) as client:
        client.stat(b"small")
        answer = client.ask(fsp_wire.GET_FILE, b"big\0", struct.pack("!H", block))
        assert answer.data == FILES[b"big"][:block]


def test_sizes_are_bounded_by_the_setting(fsp):
    program = fsp(block_size=2000)
    with FspClient(program.port("fsp")) as client:
        version = client.ask(fsp_wire.VERSION)
        assert version.data == b"superd\0"
        flags, payload = struct.unpack("!BH", version.extra)
        assert (flags, payload, version.position) == (2 | 32, 2000, 3)
        assert len(client.ask(fsp_wire.GET_FILE, b"big\0", struct.pack("!H", 60_000)).data) == 2000
        assert len(client.ask(fsp_wire.GET_FILE, b"big\0").data) == 1024


def test_a_long_directory_comes_in_blocks(fsp, tree):
    names = {f"file-{i}-{'x' * (i % 200)}".encode(): (1, 0) for i in range(500)}
    for name in names:
        (tree / "folder" / name.decode()).touch()
    program = fsp()
    with FspClient(program.port("fsp")) as client:
        for block in (None, 280, 512, 4096):
            listed = client.list(b"folder", block)
            assert listed == {**names, b"inside": (1, 4)}


def test_what_is_wrong_is_told(fsp, tree):
    (tree / "private").write_text("secret")
    (tree / "private").chmod(0o600)
    os.mkfifo(tree / "fifo")
    (tree / "out").symlink_to("/etc/passwd")
    program = fsp()
    with FspClient(program.port("fsp")) as client:
        for name in (b"nothing", b"../tree/small", b"private", b"fifo", b"out", b"folder", b"small/x", b"x" * 900):
            answer = client.ask(fsp_wire.GET_FILE, name + b"\0")
            assert answer.command == fsp_wire.ERR and answer.position == 0 and answer.data.endswith(b"\0"), name
        for name in (b"nothing", b"..", b"private", b"fifo", b"out"):
            assert client.stat(name)[2] == 0, name
        assert client.ask(fsp_wire.GET_DIR, b"small\0").command == fsp_wire.ERR
        assert client.ask(fsp_wire.GET_DIR, b"\0", position=1).command == fsp_wire.ERR
        for command in (fsp_wire.ERR, fsp_wire.GRAB_FILE, 0x33, 0x80, 0xFF):
            assert client.ask(command, b"small\0").command == fsp_wire.ERR
        for command in (fsp_wire.UP_LOAD, fsp_wire.INSTALL, fsp_wire.DEL_FILE, fsp_wire.MAKE_DIR, fsp_wire.RENAME):
            answer = client.ask(command, b"small\0")
            assert answer.command == fsp_wire.ERR and b"read-only" in answer.data
        assert client.get(b"small") == FILES[b"small"]
        right = client.ask(fsp_wire.GET_PRO, b"\0")
        assert (right.extra, right.position) == (b"\x50", 1)
        assert client.ask(fsp_wire.GET_PRO, b"small\0").command == fsp_wire.ERR


def test_what_is_no_packet_is_ignored_and_counted(fsp):
    program = fsp()
    good = fsp_wire.request(fsp_wire.STAT, b"small\0")
    with FspClient(program.port("fsp")) as client:
        for bad in (b"", b"x", good[:-1], good[:11], good[:1] + b"\0" + good[2:], good + b"x"):
            client.socket.send(bad)
        assert client.stat(b"small")[1] == 6
    assert program.wait_for("fsp", dropped_malformed=6, answered=1)["answered"] == 1


# --- keys ---


def test_a_stranger_is_answered_once_until_it_shows_its_key(fsp):
    program = fsp(trusted=[])
    with FspClient(program.port("fsp")) as client:
        client.send(fsp_wire.STAT, b"small\0", key=1)
        key = client.receive().key
        wrong = key ^ 0x5555
        for _ in range(20):
            client.send(fsp_wire.STAT, b"small\0", key=wrong)
        assert program.wait_for("fsp", dropped_key=20, answered=1)["answered"] == 1
        client.key = key
        assert client.get(b"big") == FILES[b"big"]


def test_a_stranger_gets_no_long_packet(fsp):
    program = fsp(trusted=[])
    with FspClient(program.port("fsp")) as client:
        wanted = struct.pack("!H", 8192)
        assert len(client.ask(fsp_wire.GET_FILE, b"big\0", wanted).data) == 1024
        assert len(client.ask(fsp_wire.GET_FILE, b"big\0", wanted).data) == 8192


def test_forged_ports_of_an_address_are_answered_seldom(fsp):
    program = fsp(trusted=[])
    port = program.port("fsp")
    for _ in range(100):
        with FspClient(port, key=1) as client:
            client.send(fsp_wire.GET_FILE, b"big\0")
    assert program.wait_for("fsp", dropped_key=92, answered=8)["answered"] == 8
    with FspClient(port, source=("127.0.0.2", 0)) as other:
        assert other.get(b"small") == FILES[b"small"], "another address has places of its own"


def test_clients_of_one_address_do_not_take_each_others_keys(fsp):
    program = fsp(trusted=[])
    port = program.port("fsp")
    with FspClient(port) as one, FspClient(port) as two:
        for _ in range(50):
            assert one.stat(b"small") == two.stat(b"small")
        # As those do that know one key an address, and tell it to each other.
        with FspClient(port, key=one.key) as three:
            assert three.get(b"big") == FILES[b"big"]
    assert program.counters("fsp")["dropped_key"] == 0


def test_a_client_with_its_key_is_bound_by_no_rate(fsp):
    program = fsp(trusted=[], answer_rate=10)
    with FspClient(program.port("fsp")) as client:
        assert client.get(b"big") == FILES[b"big"]
    assert program.counters("fsp")["dropped_rate"] == 0


# --- writing ---


def upload(client, content, block=1000):
    for at in range(0, max(len(content), 1), block):
        answer = client.ask(fsp_wire.UP_LOAD, content[at:at + block], position=at)
        assert answer.command == fsp_wire.UP_LOAD and answer.position == at
    return client


@pytest.mark.parametrize(**every_way())
def test_what_is_uploaded_appears_when_it_is_whole(fsp, tree, way):
    program = fsp(uploads=tree, **way)
    content = os.urandom(25_000)
    with FspClient(program.port("fsp")) as client:
        upload(client, content)
        assert client.stat(b"new")[2] == 0
        assert b"new" not in client.list(b"")
        answer = client.ask(fsp_wire.INSTALL, b"folder/new\0", struct.pack("!I", 1_000_000_000), position=4)
        assert answer.command == fsp_wire.INSTALL
        assert client.stat(b"folder/new") == (1_000_000_000, 25_000, 1)
        assert client.get(b"folder/new") == content
        assert (tree / "folder/new").stat().st_mode & 0o777 == 0o644
        # Whose answer was lost asks again, and whoever asks for something else is told what is.
        assert client.ask(fsp_wire.INSTALL, b"folder/new\0", struct.pack("!I", 1_000_000_000),
                          position=4).command == fsp_wire.INSTALL
        assert client.ask(fsp_wire.INSTALL, b"other\0").command == fsp_wire.ERR
    assert not list(tree.glob(".superd*"))


def test_files_are_replaced_moved_and_removed_where_that_is_set(fsp, tree):
    program = fsp(uploads=tree, overwrite=True)
    with FspClient(program.port("fsp")) as client:
        assert client.ask(fsp_wire.GET_PRO, b"\0").extra == bytes([0x50 | 0x04 | 0x08 | 0x02 | 0x80])
        upload(client, b"newer").ask(fsp_wire.INSTALL, b"small\0")
        assert client.get(b"small") == b"newer"
        assert client.ask(fsp_wire.RENAME, b"small\0", b"folder/moved\0", position=13).command == fsp_wire.RENAME
        assert client.get(b"folder/moved") == b"newer"
        assert client.ask(fsp_wire.RENAME, b"block\0", b"more\0", position=5).command == fsp_wire.ERR, "it is there"
        for _ in range(2):  # the second time because the answer may have been lost
            assert client.ask(fsp_wire.MAKE_DIR, b"fresh\0").extra, "it answers as GET_PRO"
        assert client.ask(fsp_wire.MAKE_DIR, b"folder\0").command == fsp_wire.ERR
        assert client.ask(fsp_wire.DEL_DIR, b"folder\0").command == fsp_wire.ERR, "not empty"
        for _ in range(2):
            assert client.ask(fsp_wire.DEL_DIR, b"fresh\0").command == fsp_wire.DEL_DIR
            assert client.ask(fsp_wire.DEL_FILE, b"more\0").command == fsp_wire.DEL_FILE
        assert client.ask(fsp_wire.DEL_FILE, b"never there\0").command == fsp_wire.ERR
    assert not (tree / "more").exists() and not (tree / "fresh").exists()


def test_what_is_there_is_safe_without_overwrite(fsp, tree):
    program = fsp(uploads=tree)
    with FspClient(program.port("fsp")) as client:
        assert client.ask(fsp_wire.GET_PRO, b"\0").extra == b"\x5c"
        upload(client, b"newer")
        assert client.ask(fsp_wire.INSTALL, b"small\0").command == fsp_wire.ERR
        assert client.ask(fsp_wire.INSTALL, b"second\0").command == fsp_wire.INSTALL, "under another name it may stay"
        for command in (fsp_wire.DEL_FILE, fsp_wire.DEL_DIR):
            assert client.ask(command, b"small\0").command == fsp_wire.ERR
        assert client.ask(fsp_wire.RENAME, b"small\0", b"x\0", position=2).command == fsp_wire.ERR
        assert client.get(b"small") == FILES[b"small"]
        assert client.ask(fsp_wire.INSTALL, b"../out\0").command == fsp_wire.ERR


def test_uploads_are_bounded(fsp, tree):
    program = fsp(uploads=tree, upload_size=5000)
    with FspClient(program.port("fsp")) as client:
        answer = client.ask(fsp_wire.UP_LOAD, b"x" * 1000, position=4000)
        assert answer.command == fsp_wire.ERR and b"no such file" in answer.data, "one that was never begun"
        for position in (0, 4000):
            assert client.ask(fsp_wire.UP_LOAD, b"x" * 1000, position=position).command == fsp_wire.UP_LOAD
        answer = client.ask(fsp_wire.UP_LOAD, b"x" * 1000, position=4001)
        assert answer.command == fsp_wire.ERR and b"no space" in answer.data
        assert client.ask(fsp_wire.INSTALL, b"\0").command == fsp_wire.INSTALL, "an empty name cancels"
    assert not list(tree.glob(".superd*"))
    for _ in range(8):
        with FspClient(program.port("fsp")) as client:
            upload(client, b"left")
    with FspClient(program.port("fsp")) as client:
        assert client.ask(fsp_wire.UP_LOAD, b"x").command == fsp_wire.ERR
    assert len(list(tree.glob(".superd*"))) == 8


# --- clients of others ---


@pytest.fixture(scope="module")
def fsplib():
    try:
        library = ctypes.CDLL("libfsplib.so.0")
    except OSError:
        pytest.skip("libfsplib is not installed")
    library.fsp_open_session.restype = ctypes.c_void_p
    library.fsp_fopen.restype = ctypes.c_void_p
    library.fsp_fread.restype = ctypes.c_size_t
    library.fsp_fwrite.restype = ctypes.c_size_t
    library.fsp_opendir.restype = ctypes.c_void_p
    return library


class FsplibSession:
    class Entry(ctypes.Structure):
        _fields_ = [("name", ctypes.c_char * 256), ("namlen", ctypes.c_ushort), ("type", ctypes.c_ubyte),
                    ("reclen", ctypes.c_ushort), ("size", ctypes.c_uint), ("lastmod", ctypes.c_uint)]

    def __init__(self, library, port):
        self.library = library
        self.session = ctypes.c_void_p(library.fsp_open_session(b"127.0.0.1", port, None))
        assert self.session

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.library.fsp_close_session(self.session)

    def read(self, name):
        file = ctypes.c_void_p(self.library.fsp_fopen(self.session, name, b"r"))
        assert file, name
        content, room = b"", ctypes.create_string_buffer(50_000)
        while True:
            got = self.library.fsp_fread(room, 1, len(room), file)
            content += room.raw[:got]
            if got < len(room):
                self.library.fsp_fclose(file)
                return content

    def write(self, name, content):
        file = ctypes.c_void_p(self.library.fsp_fopen(self.session, name, b"w"))
        assert file, name
        assert self.library.fsp_fwrite(content, 1, len(content), file) == len(content)
        assert self.library.fsp_fclose(file) == 0

    def list(self, name):
        folder = ctypes.c_void_p(self.library.fsp_opendir(self.session, name))
        assert folder, name
        entries, entry, result = {}, self.Entry(), ctypes.POINTER(self.Entry)()
        while self.library.fsp_readdir_native(folder, ctypes.byref(entry), ctypes.byref(result)) == 0 and result:
            entries[entry.name] = (entry.type, entry.size)
        self.library.fsp_closedir(folder)
        return entries


@pytest.mark.parametrize("trusted", [["127.0.0.0/8"], []], ids=["trusted", "with-keys"])
def test_the_reference_library_browses_and_fetches(fsp, fsplib, trusted):
    program = fsp(trusted=trusted)
    with FsplibSession(fsplib, program.port("fsp")) as session:
        assert session.list(b"/folder") == {b"inside": (1, 4)}
        assert session.list(b"/").keys() == {name.split(b"/")[0] for name in FILES}
        for name, content in FILES.items():
            assert session.read(name) == content, name
    assert program.counters("fsp")["dropped_key"] == 0


def test_the_reference_library_uploads_and_changes(fsp, fsplib, tree):
    program = fsp(uploads=tree, overwrite=True)
    content = os.urandom(50_001)
    with FsplibSession(fsplib, program.port("fsp")) as session:
        assert fsplib.fsp_canupload(session.session, b"folder/new") == 0
        session.write(b"folder/new", content)
        assert fsplib.fsp_rename(session.session, b"folder/new", b"renamed") == 0
        assert session.read(b"renamed") == content
        assert fsplib.fsp_mkdir(session.session, b"made") == 0
        assert fsplib.fsp_rmdir(session.session, b"made") == 0
        assert fsplib.fsp_unlink(session.session, b"renamed") == 0
        assert fsplib.fsp_unlink(session.session, b"renamed ") != 0
    assert not (tree / "renamed").exists()


def test_gftp_browses_and_fetches(fsp, tree, tmp_path, needs):
    program = fsp()
    home = tmp_path / "home"
    home.mkdir()
    script = f"open fsp://127.0.0.1:{program.port('fsp')}/\nls\nget big\nquit\n"
    done = subprocess.run([needs("gftp-text")], input=script, text=True, capture_output=True, cwd=home,
                          env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C"}, timeout=4 * PATIENCE)
    assert (home / "big").read_bytes() == FILES[b"big"], done.stdout + done.stderr


# --- superctl ---


def test_superctl_lists_and_fetches(fsp, tree, tmp_path):
    program = fsp()
    url = f"fsp://127.0.0.1:{program.port('fsp')}"
    lines = superctl("ls", url + "/").stdout.splitlines()
    assert len(lines) == len(FILES)
    assert any(line.startswith("d ") and line.endswith(" folder/") for line in lines)
    assert any(line.startswith("-") and " 300000 " in line and line.endswith(" big") for line in lines)
    for name, content in FILES.items():
        done = superctl("get", f"{url}/{os.fsdecode(name).replace(' ', '%20')}", "-o", tmp_path / "here")
        assert (tmp_path / "here").read_bytes() == content
        assert done.stdout.split()[0] == digest(content)
        assert int((tmp_path / "here").stat().st_mtime) == int((tree / os.fsdecode(name)).stat().st_mtime)
    shown = subprocess.run([BUILD / "superctl", "get", "-o", "-", url + "/big"], capture_output=True, timeout=PATIENCE)
    assert shown.stdout == FILES[b"big"]
    assert "no such file" in superctl("get", url + "/nothing", code=1, cwd=tmp_path).stderr
    assert "directory" in superctl("get", url + "/folder", code=1, cwd=tmp_path).stderr
    assert not list(tmp_path.glob("*.part"))


def test_superctl_brings_files(fsp, tree, tmp_path):
    program = fsp(uploads=tree)
    url = f"fsp://127.0.0.1:{program.port('fsp')}"
    for size in (0, 1, 1400, 1401, 200_000):
        file = tmp_path / f"file-{size}"
        file.write_bytes(os.urandom(size))
        os.utime(file, (1_000_000_000, 1_000_000_000))
        superctl("put", file, url + "/folder/")
        assert (tree / "folder" / file.name).read_bytes() == file.read_bytes()
        assert (tree / "folder" / file.name).stat().st_mtime == 1_000_000_000
    assert "it exists" in superctl("put", tmp_path / "file-1", url + "/small", code=1).stderr


BIG = os.urandom(10 * 1000 * 1000)
LOSSES = {
    "30-percent-lost": Manners(drop=0.3),
    "doubled": Manners(duplicate=0.5),
    "out-of-order": Manners(reorder=0.2, delay=0.001),
    "damaged": Manners(corrupt=0.1),
    "all-of-it": Manners(drop=0.1, duplicate=0.1, reorder=0.1, corrupt=0.05, delay=0.001),
}


@pytest.mark.parametrize("manners", LOSSES.values(), ids=LOSSES)
def test_ten_megabytes_survive_a_bad_network(fsp, tree, tmp_path, manners):
    (tree / "10MB").write_bytes(BIG)
    program = fsp(trusted=[])
    with LossyRelay(program.port("fsp"), manners) as relay:
        done = superctl("get", f"fsp://127.0.0.1:{relay.port}/10MB", "-o", tmp_path / "here")
    assert done.stdout.split()[0] == digest(BIG)
    assert (tmp_path / "here").read_bytes() == BIG
    for what in ("drop", "duplicate", "reorder", "corrupt"):
        assert (relay.counts[what] > 0) == (getattr(manners, what) > 0), relay.counts


def test_an_upload_survives_a_bad_network(fsp, tree, tmp_path):
    program = fsp(uploads=tree, trusted=[])
    (tmp_path / "file").write_bytes(BIG[:1_000_000])
    with LossyRelay(program.port("fsp"), LOSSES["all-of-it"]) as relay:
        superctl("put", tmp_path / "file", f"fsp://127.0.0.1:{relay.port}/brought")
    assert (tree / "brought").read_bytes() == BIG[:1_000_000]


def background_get(url, output, *options):
    return subprocess.Popen([BUILD / "superctl", "get", url, "-o", output, *options], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def size_of_partial(folder, name):
    return sum(file.stat().st_size for file in folder.glob(name + ".*.part"))


@pytest.fixture
def slow_network(fsp, tree):
    """A fetch that takes some seconds, so that something can happen meanwhile."""
    (tree / "10MB").write_bytes(BIG)
    program = fsp(trusted=[])
    with LossyRelay(program.port("fsp"), Manners(delay=0.005)) as relay:
        yield program, f"fsp://127.0.0.1:{relay.port}/10MB"


def test_a_fetch_goes_on_after_the_server_was_killed(slow_network, tmp_path):
    program, url = slow_network
    client = background_get(url, tmp_path / "here")
    poll_until(lambda: size_of_partial(tmp_path, "here") > 100_000, what="it has begun")
    program.kill_and_start_again()
    output, errors = client.communicate(timeout=6 * PATIENCE)
    assert client.returncode == 0, errors
    assert output.split()[0] == digest(BIG)


def test_a_fetch_that_was_interrupted_goes_on_where_it_was(slow_network, tmp_path):
    _, url = slow_network
    client = background_get(url, tmp_path / "here")
    poll_until(lambda: size_of_partial(tmp_path, "here") > 100_000, what="it has begun")
    client.terminate()
    errors = client.communicate(timeout=PATIENCE)[1]
    assert client.returncode == 111
    assert "interrupted" in errors and "the same command goes on from there" in errors
    assert not (tmp_path / "here").exists()
    kept = size_of_partial(tmp_path, "here")
    assert kept > 100_000
    done = superctl("get", url, "-o", tmp_path / "here")
    assert "were here already" in done.stderr
    assert done.stdout.split()[0] == digest(BIG)
    assert not list(tmp_path.glob("here.*"))


def test_another_version_is_not_gone_on_with(slow_network, tmp_path, tree):
    _, url = slow_network
    client = background_get(url, tmp_path / "here")
    poll_until(lambda: size_of_partial(tmp_path, "here") > 100_000, what="it has begun")
    client.kill()
    client.communicate()
    (tree / "10MB").write_bytes(BIG[:-1])
    os.utime(tree / "10MB", (1_000_000_000, 1_000_000_000))
    done = superctl("get", url, "-o", tmp_path / "here")
    assert "already" not in done.stderr
    assert done.stdout.split()[0] == digest(BIG[:-1])


def test_a_file_that_changes_meanwhile_is_no_file(slow_network, tmp_path, tree):
    _, url = slow_network
    client = background_get(url, tmp_path / "here")
    poll_until(lambda: size_of_partial(tmp_path, "here") > 100_000, what="it has begun")
    os.utime(tree / "10MB", (1_000_000_000, 1_000_000_000))
    errors = client.communicate(timeout=6 * PATIENCE)[1]
    assert client.returncode == 111 and "changed" in errors
    assert not list(tmp_path.glob("here*"))


def test_fifty_clients_fetch_at_once(fsp, tree, tmp_path):
    program = fsp(trusted=[], level=64)
    port, failures = program.port("fsp"), []

    def fetch(number):
        try:
            with FspClient(port, source=(f"127.0.{number // 4}.{number % 4 + 1}", 0)) as client:
                assert client.get(b"big", 8192) == FILES[b"big"]
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(4, 54)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
