"""TFTP: what a request gets, packet by packet, and what nobody gets."""

import contextlib
import os
import socket
import stat

import pytest

from fault_tools import every_way, forks
from harness import ROOMY, poll_until
from tftp_client import (ACK, DATA, ERROR, OACK, READ, WRITE, Transfer, ack, data, read_file, request, write_file)

NOT_FOUND, ACCESS, FULL, ILLEGAL, UNKNOWN_ID, EXISTS = range(1, 7)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    tree.chmod(0o755)
    (tree / "sub").mkdir(mode=0o755)
    for name, content in {"empty": b"", "short": b"hello", "block": os.urandom(512), "file": os.urandom(100_000),
                          "sub/inner": b"inner", "text": b"one\ntwo\r\nth\ree\n" * 200}.items():
        (tree / name).write_bytes(content)
        (tree / name).chmod(0o644)
    return tree


@pytest.fixture
def server(superd, tree, tmp_path):
    def start(**settings):
        uploads = tmp_path / "uploads"
        uploads.mkdir(exist_ok=True)
        service = {"listen": ["udp"], "files": str(tree), "uploads": str(uploads), **ROOMY, **settings}
        program = superd({"tftp": service})
        program.address, program.uploads = ("127.0.0.1", program.port("tftp")), uploads
        return program

    return start


def refusal(address, name, mode="octet", opcode=READ, **options):
    """The code of the error that a request gets."""
    with Transfer(address) as transfer:
        found = transfer.ask(opcode, name, mode, **options).receive()
        assert found[0] == ERROR, found
        assert found[2].endswith(b"\0") and found[2].count(b"\0") == 1
        return found[1]


# --- files and options ---


@pytest.mark.parametrize("name", ["empty", "short", "block", "file", "sub/inner", "/sub//inner", "./sub/./inner"])
@pytest.mark.parametrize("options", [{}, {"blksize": 8}, {"blksize": 1428}, {"blksize": 512, "windowsize": 4},
                                     {"blksize": 1428, "windowsize": 64, "tsize": 0, "timeout": 2}],
                         ids=["none", "8", "1428", "window", "all"])
def test_a_file_arrives_as_it_is(server, tree, name, options):
    content, granted = read_file(server().address, name, **options)
    assert content == (tree / name.lstrip("/")).read_bytes()
    wanted = dict(options)
    if "tsize" in wanted:
        wanted["tsize"] = len(content)
        if not content:  # curl takes that for an error
            del wanted["tsize"]
    assert granted == wanted


def test_what_is_too_much_is_lowered_and_what_is_nonsense_is_left_out(server):
    address = server(block_size=1000, window_size=7).address
    assert read_file(address, "file", blksize=65464, windowsize=1000)[1] == {"blksize": 1000, "windowsize": 7}
    assert read_file(address, "file", blksize=2**70)[1] == {"blksize": 1000}
    assert read_file(address, "file", blksize=7, timeout=0, windowsize=0, tsize="x", nonsense="1")[1] == {}
    assert read_file(address, "file", timeout=256, BlkSize="0600")[1] == {"blksize": 600}


def test_text_is_sent_as_netascii_across_the_borders_of_blocks(server, tree):
    address = server().address
    text = (tree / "text").read_bytes()
    wanted = text.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
    for options in ({}, {"blksize": 9}, {"blksize": 1000, "windowsize": 8, "tsize": 0}):
        content, granted = read_file(address, "text", "NetASCII", **options)
        assert content == wanted
        assert "windowsize" not in granted and "tsize" not in granted


def test_block_numbers_go_round_after_65535(server, tree):
    content = os.urandom(8 * 66_000)
    (tree / "round").write_bytes(content)
    assert read_file(server().address, "round", blksize=8, windowsize=64)[0] == content


@every_way()
def test_files_are_read_and_written_under_every_design(server, tree, way):
    program = server(**way.settings)
    for options in ({}, {"blksize": 1428, "windowsize": 8}):
        assert read_file(program.address, "file", **options)[0] == (tree / "file").read_bytes()
        name = f"new{len(options)}"
        write_file(program.address, name, (tree / "file").read_bytes(), **options)
        assert (program.uploads / name).read_bytes() == (tree / "file").read_bytes()


# --- who is refused ---


def test_nobody_gets_out_of_the_tree(server, tree, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    secret.chmod(0o644)
    for name, target in {"absolute": secret, "relative": os.path.relpath(secret, tree), "passwd": "/etc/passwd",
                         "proc": "/proc/self/root/etc/passwd", "up": ".."}.items():
        with contextlib.suppress(FileExistsError):
            (tree / name).symlink_to(target)
    address = server().address
    for name in ("../secret", "sub/../../secret", "..", "/../etc/passwd", "absolute", "relative", "passwd", "proc",
                 "up/secret", f"up/{tmp_path.name}/secret"):
        assert refusal(address, name) in (ACCESS, NOT_FOUND), name
    for name in (str(secret), "/etc/passwd", "//etc//passwd"):  # below the tree, where there is none
        assert refusal(address, name) == NOT_FOUND


def test_a_link_within_the_tree_is_followed(server, tree):
    with contextlib.suppress(FileExistsError):
        (tree / "sub/link").symlink_to("../short")
    assert read_file(server().address, "sub/link")[0] == b"hello"


def test_only_files_for_everybody_are_served(server, tree):
    (tree / "private").write_bytes(b"private")
    (tree / "private").chmod(0o640)
    assert refusal(server().address, "private") == ACCESS
    assert read_file(server(public_only=False).address, "private")[0] == b"private"


def test_what_is_no_file_is_refused_at_once(server, tree):
    with contextlib.suppress(FileExistsError):
        os.mkfifo(tree / "fifo")
        (tree / "fifo").chmod(0o644)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tree / "sock"))
        if os.geteuid() == 0:
            os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    address = server().address
    for name in ("fifo", "sock", "sub", ".", "/"):
        assert refusal(address, name) in (ACCESS, NOT_FOUND), name
    if os.geteuid() == 0:
        assert refusal(address, "null") == ACCESS


def test_bad_requests_are_refused(server):
    address = server().address
    for packet in (b"\0\1", b"\0\1file", b"\0\1file\0", b"\0\1\0octet\0", b"\0\1file\0octet", b"\0\1file\0octet\0blksize",
                   b"\0\1file\0octet\0blksize\0", b"\0\1file\0mail\0", b"\0\3\0\1data", b"\0\7", b"\0", b"",
                   request(READ, "x" * 600), request(READ, "file", **{"blksize" * 100: 1})):
        with Transfer(address) as transfer:
            transfer.socket.sendto(packet, address)
            assert transfer.receive()[:2] == (ERROR, ILLEGAL), packet
    assert refusal(address, "a" * 480) == NOT_FOUND
    assert refusal(address, b"\xff\x01\n") == NOT_FOUND
    assert read_file(address, "short")[0] == b"hello"


def test_rules_change_names(server):
    rules = [r"rg \\ /", r"ri ^c: ", r"aP ^no/", r"~a [a-z]", r"r ^by-address$ sub/\\i", r"re ^deep/(.*)$ sub/\1"]
    address = server(remap=rules).address
    assert read_file(address, r"C:\sub\inner")[0] == b"inner"
    assert read_file(address, "deep/inner")[0] == b"inner"
    assert refusal(address, "123") == ACCESS
    assert refusal(address, "no/x", opcode=WRITE) == ACCESS
    assert refusal(address, "no/x") == NOT_FOUND


def test_a_client_has_a_directory_of_its_own(server, tree):
    own = tree / "127.0.0.9"
    own.mkdir(exist_ok=True)
    own.chmod(0o755)
    (own / "short").write_bytes(b"mine")
    address = server(client_directories=True).address
    assert read_file(address, "short", source=("127.0.0.9", 0))[0] == b"mine"
    assert read_file(address, "short", source=("127.0.0.8", 0))[0] == b"hello"
    assert read_file(address, "sub/inner", source=("127.0.0.9", 0))[0] == b"inner"


# --- packet by packet ---


def test_a_request_that_comes_twice_starts_one_transfer(server):
    program = server()
    with Transfer(program.address) as transfer:
        transfer.ask(READ, "file")
        transfer.expect(DATA, 1)
        for _ in range(5):
            transfer.ask(READ, "file")
        transfer.send(ack(1)).expect(DATA, 2)  # from the same port, as Transfer sees to
        assert program.wait_for("tftp", served=5)["level"] == 1
        transfer.send(ack(2)).expect(DATA, 3)


@every_way(but=lambda way: way.serves_one_at_a_time)
def test_a_request_that_comes_twice_starts_one_transfer_in_whichever_process(server, way):
    program = server(**way.settings)
    with Transfer(program.address) as transfer:
        transfer.ask(READ, "file")
        transfer.expect(DATA, 1)
        for _ in range(8):
            transfer.ask(READ, "file")
        transfer.send(ack(1)).expect(DATA, 2)
        program.wait_for("tftp", served=8)
        transfer.send(ack(2)).expect(DATA, 3)


def test_a_stranger_is_told_and_the_transfer_goes_on(server):
    with Transfer(server().address) as transfer, Transfer(None) as stranger:
        transfer.ask(READ, "file")
        transfer.expect(DATA, 1)
        stranger.peer = transfer.peer
        stranger.send(ack(1)).expect(ERROR, UNKNOWN_ID)
        transfer.send(ack(1)).expect(DATA, 2)


def test_an_acknowledgement_that_comes_twice_doubles_nothing(server):
    with Transfer(server().address) as transfer:
        transfer.ask(READ, "file")
        transfer.expect(DATA, 1)
        transfer.send(ack(1)).expect(DATA, 2)
        transfer.send(ack(1)).send(ack(1)).send(ack(0)).send(ack(40_000))
        transfer.send(ack(2)).expect(DATA, 3)
        transfer.send(ack(3)).expect(DATA, 4)


def test_what_was_lost_is_sent_again_and_faster_once_the_way_is_known(server):
    with Transfer(server().address) as transfer:
        transfer.ask(READ, "file", timeout=1)
        transfer.expect(OACK)
        transfer.send(ack(0)).expect(DATA, 1)
        transfer.expect(DATA, 1)
        transfer.send(ack(1)).expect(DATA, 2)


def test_a_gap_in_a_window_is_filled_from_there(server):
    with Transfer(server().address) as transfer:
        transfer.ask(READ, "file", windowsize=4)
        transfer.expect(OACK)
        transfer.send(ack(0))
        for block in range(1, 5):
            transfer.expect(DATA, block)
        transfer.send(ack(2))
        for block in range(3, 7):
            transfer.expect(DATA, block)
        transfer.send(ack(2))  # the first of the window was lost
        for block in range(3, 7):
            transfer.expect(DATA, block)
        transfer.send(ack(2)).send(ack(6))  # and its echo
        for block in range(7, 11):
            transfer.expect(DATA, block)


def test_who_never_answers_is_sent_one_packet_twice(server):
    program = server(trusted=[], amplification=3)
    with Transfer(program.address) as transfer:
        transfer.ask(READ, "file", blksize=1428, windowsize=64)
        transfer.expect(OACK)
        transfer.expect(OACK)
        assert program.wait_for("tftp", timed_out_idle=1)["answered"] == 2
        assert transfer.is_silent(0.1)


def test_a_client_that_is_gone_gives_back_its_place_at_once(server):
    program = server()
    for _ in range(20):
        with Transfer(program.address) as transfer:
            transfer.ask(READ, "file").expect(DATA, 1)
            peer = transfer.peer
        assert peer
    program.wait_for("tftp", timed_out_idle=0, served=20)


@every_way(but=forks)
def test_a_cut_tells_clients_and_ends(server, way):
    program = server(**way.settings)
    with Transfer(program.address) as transfer:
        transfer.ask(READ, "file").expect(DATA, 1)
        program.cut()
        transfer.expect(ERROR, 0)


# --- writing ---


def test_an_upload_appears_whole_or_not_at_all(server, tree):
    program = server()
    content = (tree / "file").read_bytes()
    with Transfer(program.address) as transfer:
        transfer.ask(WRITE, "half").expect(ACK, 0)
        transfer.send(data(1, content[:512])).expect(ACK, 1)
        assert list(program.uploads.iterdir()) == []
        transfer.send(b"\0\5\0\0broken off\0")
        program.wait_for("tftp", served=1)
    assert list(program.uploads.iterdir()) == []
    write_file(program.address, "whole", content)
    assert (program.uploads / "whole").read_bytes() == content
    assert stat.S_IMODE((program.uploads / "whole").stat().st_mode) == 0o644


def test_an_upload_replaces_only_where_it_may(server):
    program = server()
    write_file(program.address, "new", b"first")
    assert refusal(program.address, "new", opcode=WRITE) == EXISTS
    assert (program.uploads / "new").read_bytes() == b"first"
    allowing = server(overwrite=True)
    write_file(allowing.address, "new", b"second")
    assert (program.uploads / "new").read_bytes() == b"second"


def test_an_upload_is_bounded(server):
    program = server(upload_size="1KiB")
    assert refusal(program.address, "big", opcode=WRITE, tsize=1025) == FULL
    with pytest.raises(PermissionError) as told:
        write_file(program.address, "big", bytes(2000))
    assert told.value.errno == FULL
    write_file(program.address, "fits", bytes(1024))
    assert [path.name for path in program.uploads.iterdir()] == ["fits"]


def test_nobody_writes_elsewhere_or_where_it_is_not_set(server, superd, tree):
    program = server()
    (program.uploads / "link").symlink_to("/tmp")
    for name in ("../x", "link/x", "nowhere/x", ".hidden", ".", "/"):
        assert refusal(program.address, name, opcode=WRITE) in (ACCESS, NOT_FOUND), name
    for uploads in ("", program.uploads):
        reading = superd({"tftp": {"listen": ["udp"], "files": str(tree), **({"uploads": str(uploads)} if uploads else {})}})
        address = ("127.0.0.1", reading.port("tftp"))
        if uploads:
            write_file(address, "new", b"content")
        else:
            assert refusal(address, "new", opcode=WRITE) == ACCESS


def test_a_block_that_comes_again_is_acknowledged_again_and_written_once(server):
    program = server()
    with Transfer(program.address) as transfer:
        transfer.ask(WRITE, "twice").expect(ACK, 0)
        transfer.send(data(1, b"a" * 512)).expect(ACK, 1)
        transfer.send(data(1, b"a" * 512)).expect(ACK, 1)
        transfer.send(data(2, b"b")).expect(ACK, 2)
        assert (program.uploads / "twice").read_bytes() == b"a" * 512 + b"b"
        transfer.send(data(2, b"b")).expect(ACK, 2)  # our last one was lost: the server has waited for that


def test_text_that_is_uploaded_becomes_lines(server):
    program = server()
    for size in (8, 9, 512):
        write_file(program.address, f"text{size}", b"one\r\ntwo\r\0three\r\r\n" * 50, "netascii", blksize=size)
        assert (program.uploads / f"text{size}").read_bytes() == b"one\ntwo\rthree\r\n" * 50


# --- the table ---


def test_a_file_that_changes_is_served_as_it_is_now(server, tree):
    program = server()
    changing = tree / "changing"
    for content in (b"first", b"second, longer", b"third"):
        changing.write_bytes(content)
        assert read_file(program.address, "changing")[0] == content
    (tree / "other").write_bytes(b"replaced")
    (tree / "other").replace(changing)
    assert read_file(program.address, "changing")[0] == b"replaced"
    changing.chmod(0o600)
    assert refusal(program.address, "changing") == ACCESS
    changing.unlink()
    assert refusal(program.address, "changing") == NOT_FOUND


@pytest.mark.parametrize("table", ["off", "chapter", "safe"])
def test_answers_are_the_same_under_every_table(server, tree, table):
    program = server(table=table, table_files=2)
    for _ in range(3):
        for name in ("short", "file", "block", "sub/inner", "empty"):
            assert read_file(program.address, name)[0] == (tree / name).read_bytes()
    counted = program.counters("tftp")
    assert counted["file_hits"] + counted["file_misses"] >= 15
    assert (counted["file_evictions"] > 0) == (table != "off")


def test_descriptors_come_back(server):
    program = server(table_idle="100ms")
    before = program.descriptors()
    for name in ("short", "file", "block"):
        read_file(program.address, name)
    poll_until(lambda: refusal(program.address, "nothing") and program.descriptors() <= before + 1,
               what="idle files are closed")
