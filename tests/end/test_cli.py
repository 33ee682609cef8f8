"""The command line: what each option says, what each mistake is told, and with which exit code."""

import json
import os
import re
import socket

import pytest

from harness import ROOT, run_superd

DRAINED, WRONG_FILE, MISUSE = 0, 1, 100


@pytest.fixture
def file(tmp_path):
    """Writes a configuration; its path."""
    def write(text):
        path = tmp_path / "superd.toml"
        path.write_text(text)
        return path

    return write


# --- options that print ---


def test_help_names_every_option_signal_and_exit_code():
    done = run_superd("--help")
    assert done.returncode == DRAINED and done.stderr == ""
    for word in ("--config", "--check", "--port-base", "--print-config", "--list", "--version", "SIGTERM", "SIGUSR2",
                 "100", "111"):
        assert word in done.stdout


def test_version_is_one_line():
    done = run_superd("--version")
    assert (done.returncode, done.stderr) == (DRAINED, "")
    assert re.fullmatch(r"superd \d+\.\d+\.\d+\n", done.stdout)


def test_list_is_json_of_every_table():
    done = run_superd("--list")
    tables = json.loads(done.stdout)
    assert {row["name"] for row in tables["services"]} >= {"echo", "discard", "chargen", "daytime", "time", "qotd"}
    assert {row["name"] for row in tables["designs"]} >= {"iterative", "threads", "prethreaded", "event"}
    assert {row["name"] for row in tables["engines"]} >= {"select", "poll", "epoll", "io_uring"}
    assert all(row["what"] for table in tables.values() for row in table)


# --- --check ---


def test_a_right_file_is_checked_in_silence(file):
    done = run_superd("--check", file('[service.echo]\nlisten = ["tcp/127.0.0.1:7"]\n'))
    assert (done.returncode, done.stdout, done.stderr) == (DRAINED, "", "")


def test_a_wrong_file_tells_every_error_with_its_line(file):
    path = file('[service.echo]\nlisten = ["tcp/127.0.0.1:70000"]\ndesing = "event"\nlevel = 0\n[defaults]\nidle = "1 year"\n')
    done = run_superd("--check", path)
    assert (done.returncode, done.stdout) == (WRONG_FILE, "")
    lines = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{path}:2", "listen"], [f"{path}:3", "desing"], [f"{path}:4", "level"], [f"{path}:6", "idle"]]
    assert 'did you mean "design"?' in lines[1]


def test_what_is_no_toml_is_an_error_with_its_line(file):
    path = file("[service.echo]\nlisten = [\n")
    done = run_superd("--check", path)
    assert done.returncode == WRONG_FILE
    assert done.stderr.startswith(f"{path}:")


def test_checking_binds_nothing(file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run_superd("--check", file(f'[service.echo]\nlisten = ["tcp/127.0.0.1:{port}"]\n')).returncode == DRAINED


def test_every_example_configuration_of_the_documents_is_right(tmp_path):
    texts = [text for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
             for text in re.findall(r"```toml\n(.*?)```", page.read_text(), re.S) if "[service." in text]
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        done = run_superd("--check", path)
        assert done.returncode == DRAINED, text + done.stderr


# --- --print-config ---


def test_the_printed_configuration_reads_back_as_itself(tmp_path):
    first = run_superd("--print-config")
    assert first.returncode == DRAINED and first.stderr == ""
    path = tmp_path / "printed.toml"
    path.write_text(first.stdout)
    assert run_superd("--check", path).returncode == DRAINED
    second = run_superd("--config", path, "--print-config")
    assert second.stdout == first.stdout


def test_print_config_shows_what_a_file_says_and_all_defaults(file):
    path = file('[superd]\ndrain = "7s"\n[defaults]\nidle = "90s"\n'
                '[service.mine]\nhandler = "echo"\nlisten = ["udp/[::1]:7"]\nlevel = 12\n')
    printed = run_superd("--config", path, "--print-config", "--port-base", "1000").stdout
    for line in ('drain = "7s"', "[service.mine]", 'listen = ["udp/[::1]:7"]', 'handler = "echo"', "level = 12",
                 'idle = "90s"', "port_base = 1000", 'linger = "2s"', "workers = 8"):
        assert re.search("^" + re.escape(line), printed, re.M), line
    assert printed.count("[service.") == 1


# --- mistakes ---


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"], ["--port-base", "70000"], ["--port-base", "-1"],
                                       ["--port-base", "x"], ["--config"], ["--check"]], ids=" ".join)
def test_a_wrong_option_is_misuse(arguments):
    done = run_superd(*arguments)
    assert (done.returncode, done.stdout) == (MISUSE, "")
    assert done.stderr and len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize("text", ['[service.echo]\nlisten = ["tcp/7"]\nlevle = 3\n', "nonsense", ""],
                         ids=["misspelt", "no-toml", "empty"])
def test_a_wrong_file_is_not_served(file, text):
    path = file(text)
    done = run_superd("--config", path)
    assert (done.returncode, done.stdout) == (MISUSE, "")
    assert done.stderr.startswith(f"{path}:")


@pytest.mark.parametrize("option, code", [("--config", MISUSE), ("--check", WRONG_FILE)])
def test_a_file_that_is_none_is_told_in_one_line(tmp_path, option, code):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path / "missing.toml", tmp_path, fifo):
        done = run_superd(option, path)
        assert done.returncode == code
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(str(path))
