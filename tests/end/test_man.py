"""The manual: superd(8) has every option, superd.conf(5) every key with its default, and both look right at 80 columns."""

import re
import subprocess
import sys
import tomllib
from typing import NamedTuple

import pytest

from harness import ROOT, run_superd

PROGRAM_PAGE, FILE_PAGE = ROOT / "docs/man/superd.8", ROOT / "docs/man/superd.conf.5"
PAGES = pytest.mark.parametrize("page", [PROGRAM_PAGE, FILE_PAGE], ids=lambda page: page.name)

ESCAPES = {r"\-": "-", r"\:": "", r"\&": "", r"\e": "\\", r"\(rs": "\\", r"\(ti": "~", r"\(ha": "^", r"\(ga": "`", r"\(aq": "'"}


class Entry(NamedTuple):
    """A key as superd.conf(5) has it."""

    section: str
    name: str
    default: str  # as it is written in a file; empty: there is none


def plain(roff):
    """A line of roff without fonts and escapes."""
    return re.sub(r"\\(?:\(..|.)", lambda escape: ESCAPES[escape[0]], re.sub(r"\\f[BIR]", "", roff))


def entries():
    section, found = "", []
    for part in re.split(r"(?m)^(?=\.(?:TP|SH|SS|PP)\b)", FILE_PAGE.read_text()):
        if heading := re.match(r'\.SH "?([^"\n]*)', part):
            section = heading[1]
        if key := re.match(r"\.TP\n\.B (\S+)\n.*?^Default: (.*?)\.\n\.br$", part, re.S | re.M):
            literal = re.fullmatch(r"\\fB(.*)\\fR", key[2])
            found.append(Entry(section, key[1], plain(literal[1]) if literal else ""))
    return found


ENTRIES = entries()


def each(chosen):
    return pytest.mark.parametrize("entry", chosen, ids=lambda entry: entry.name)


# Where a key may stand, and a service that it can be of.
ECHO = '[service.echo]\nlisten = "tcp/7"\n'
DATAGRAMS = '[service.beacon]\nlisten = "udp/7"\n'
PROGRAM = '[service.cat]\nlisten = "tcp/7"\nprogram = ["/bin/cat"]\n'


def of_no_default():
    """The keys that may not stand in [defaults], by the words of the page."""
    words = re.search(r"Any key of a service but ((?:.|\n)*?);", FILE_PAGE.read_text())[1]
    return set(re.findall(r"\\fB(\w+)\\fR", words))


def files_with(entry, value):
    """A small file for each section that the key may stand in."""
    setting = f"{entry.name} = {value}\n"
    service = {"PROGRAMS": PROGRAM, "GROUPS AND BROADCASTS": DATAGRAMS}.get(entry.section, ECHO)
    if entry.section == "KEYS OF THE PROGRAM":
        return [f"[superd]\n{setting}{ECHO}"]
    return [service + setting] + ([] if entry.name in of_no_default() else [f"[defaults]\n{setting}{service}"])


def check(tmp_path, text):
    path = tmp_path / "superd.toml"
    path.write_text(text)
    return run_superd("--check", path)


# --- superd.conf(5) ---


def test_every_key_is_explained_once_and_no_other():
    names = [entry.name for entry in ENTRIES]
    assert len(names) == len(set(names)), "a key is explained twice"
    printed = run_superd("--print-config").stdout
    assert set(names) == set(re.findall(r"^(?:# )?(\w+) (?:= |is not set)", printed, re.M))


@each([entry for entry in ENTRIES if entry.default])
def test_a_key_may_be_written_with_its_default(entry, tmp_path):
    for text in files_with(entry, entry.default):
        done = check(tmp_path, text)
        assert (done.returncode, done.stderr) == (0, ""), text


@each(ENTRIES)
def test_a_key_stands_in_the_section_that_the_page_says(entry, tmp_path):
    for text in files_with(entry, "{}"):
        complaint = check(tmp_path, text).stderr
        assert f": {entry.name}: " in complaint, text
        assert not re.search("no such key|does not belong here", complaint), complaint


@pytest.mark.parametrize("name", sorted(of_no_default()))
def test_what_is_no_default_is_refused_as_one(name, tmp_path):
    assert "does not belong here" in check(tmp_path, f"[defaults]\n{name} = {{}}\n{ECHO}").stderr


def test_the_defaults_are_those_of_the_program(tmp_path):
    path = tmp_path / "superd.toml"
    path.write_text(ECHO)
    printed = run_superd("--config", path, "--print-config").stdout
    values = {}
    for line in printed.splitlines():
        if not line.startswith(("[", "#")):
            values.update(tomllib.loads(line))
    for entry in ENTRIES:
        if entry.default:
            assert values[entry.name] == tomllib.loads(f"x = {entry.default}")["x"], entry.name


def test_the_page_is_what_the_document_makes():
    done = subprocess.run([sys.executable, ROOT / "scripts/man_pages.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


# --- superd(8) ---


def rendered(page, groff):
    """As man(1) shows it at MANWIDTH=80, of which it leaves two columns free; without bold and underlines."""
    done = subprocess.run([groff, "-man", "-Tascii", "-ww", "-rLL=78n", "-P-cbou", page], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_option_is_explained_and_no_other(needs):
    shown = rendered(PROGRAM_PAGE, needs("groff"))
    explained = re.search(r"^OPTIONS\n(.*?)^SIGNALS", shown, re.S | re.M)[1]
    names = re.findall(r"--?[\w-]+", " ".join(re.findall(r"^ {7}(-.*)$", explained, re.M)))
    assert len(names) == len(set(names)), "an option is explained twice"
    offered = re.findall(r"^  (-\S+)", run_superd("--help").stdout, re.M)
    assert set(names) == {name for names in offered for name in names.split(",")}


def test_every_signal_and_exit_code_of_the_help_is_explained(needs):
    shown = rendered(PROGRAM_PAGE, needs("groff"))
    told = run_superd("--help").stdout
    for word in set(re.findall(r"\bSIG[A-Z0-9]+", told)):
        assert re.search(rf"^ {{7}}.*\b{word}\b", shown.partition("\nSIGNALS")[2], re.M), word
    for code in re.findall(r"(?:Exit codes: |, )(\d+) ", told):
        assert re.search(rf"^ {{7}}{code} ", shown.partition("\nEXIT STATUS")[2], re.M), code


# --- both ---


@PAGES
def test_a_page_is_of_the_version_that_runs(page):
    assert f'"{run_superd("--version").stdout.strip()}"' in re.search(r"^\.TH .*", page.read_text(), re.M)[0]


@PAGES
def test_a_page_is_shown_without_a_warning_at_80_columns(page, needs):
    shown = rendered(page, needs("groff"))
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    assert len(shown.splitlines()) > 100


@PAGES
def test_the_files_of_the_examples_are_right(page, tmp_path):
    examples = re.findall(r"^\.EX\n(.*?)^\.EE", page.read_text(), re.S | re.M)
    files = [text for text in map(plain, examples) if "[service." in text]
    assert files
    for text in files:
        done = check(tmp_path, text)
        assert (done.returncode, done.stderr) == (0, ""), text
