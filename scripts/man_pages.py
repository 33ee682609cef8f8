"""superd.conf(5), made from docs/configuration.md: every key is explained in one place, and read in two.

usage: man_pages.py [--check | --self-test]

Without an option the page is written anew; --check fails when it is not what would be written. It knows the Markdown that
configuration.md is written in, and fails at any other. A table of keys becomes tagged paragraphs, so does any other table:
80 columns hold no four cells of prose side by side.
"""

import re
import sys

import tree
from markdown import Unknown
from roff import page_of

SOURCE = "docs/configuration.md"
PAGE = "docs/man/superd.conf.5"
LEFT_OUT = {"Command line"}  # superd(8) has it, with more room

HEADER = r""".\" Made by scripts/man_pages.py from docs/configuration.md: change that one.
.TH SUPERD.CONF 5 "" "superd {version}" "superd"
.nh
.nr HY 0
.ad l
.SH NAME
superd.conf \- what superd(8) serves, and how
"""
FOOTER = r""".SH SEE ALSO
.BR superd (8),
.BR inetd (8),
.BR capabilities (7),
.BR cgroups (7),
.BR landlock (7),
.BR socket (7)
.PP
In the source of superd: the pages of docs/ that are named above, and
docs/configuration.md, which this page is made from.
"""


def whole_page():
    version = re.search(r"project\(\s*superd\s[^)]*?VERSION\s+([\d.]+)", tree.read("CMakeLists.txt"))[1]
    return HEADER.replace("{version}", version) + page_of(tree.read(SOURCE), LEFT_OUT) + FOOTER


# --- the tests of this script ---

SAMPLES = {
    "# Title\n\nOne. *Two* `a-b`\nwith [link](#x-y).\n\n## X, y\n": '.SH DESCRIPTION\nOne.\n\\fITwo\\fR \\fBa\\-b\\fR with link.\n.SH "X, Y"\n',
    "see [x](logs.md#y) and\n`.z`": ".PP\nsee x (docs/logs.md) and \\fB.z\\fR\n",
    "    a   # b\n    ccc  # d\n\n    .e": ".PP\n.RS 2\n.EX\na    # b\nccc  # d\n\n\\&.e\n.EE\n.RE\n",
    "- one\n  more\n- two": ".IP \\(bu 2\none more\n.IP \\(bu 2\ntwo\n",
    "| a | b | c |\n|---|---|---|\n| `x` | y | [z](a.md) |": ".TP\n\\fBx\\fR (y)\nZ (docs/a.md).\n",
    "| key | default | value | meaning |\n|---|---|---|---|\n| `k` | `\"1s\"` | a time | how long. So |":
        '.TP\n.B k\nA time.\nDefault: \\fB"1s"\\fR.\n.br\nHow long.\nSo.\n',
}
REFUSED = ["1. first", "<b>html</b>", "![image](x.png)", "[x](#nowhere)", "```\nnever ends", "| a | b |\n|---|---|\n| x |",
           "    " + "x" * 70]


def is_refused(text):
    try:
        page_of(text)
    except Unknown:
        return True
    return False


def failures():
    for text, wanted in SAMPLES.items():
        if page_of(text) != wanted:
            yield f"{text!r} became {page_of(text)!r} instead of {wanted!r}"
    yield from (f"{text!r} was not refused" for text in REFUSED if not is_refused(text))


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        tree.finish(list(failures()))
    try:
        made = whole_page()
    except Unknown as problem:
        tree.finish([f"{SOURCE}:{problem}"])
    page = tree.ROOT / PAGE
    if sys.argv[1:] == ["--check"]:
        is_new = page.is_file() and page.read_text(encoding="utf-8") == made
        tree.finish([] if is_new else [f"{PAGE}: is not what {SOURCE} makes: run ./dev man"])
    page.write_text(made, encoding="utf-8")
