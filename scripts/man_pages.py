"""superd.conf(5), made from docs/configuration.md: every key is explained in one place, and read in two.

usage: man_pages.py [--check | --self-test]

Without an option the page is written anew; --check fails when it is not what would be written. It knows the Markdown that
configuration.md is written in, and fails at any other. A table of keys becomes tagged paragraphs, so does any other table:
80 columns hold no four cells of prose side by side.
"""

import re
import sys
import textwrap

import tree

SOURCE = "docs/configuration.md"
PAGE = "docs/man/superd.conf.5"
KEY_HEADER = ["key", "default", "value", "meaning"]
LEFT_OUT = {"Command line"}  # superd(8) has it, with more room
CODE_COLUMNS = 69  # of 80: man(1) leaves two free, a paragraph is indented by seven, code by two more
TAG_COLUMNS = 60  # groff does not break a longer tag

HEADER = r""".\" Made by scripts/man_pages.py from docs/configuration.md: change that, then run ./dev man
.TH SUPERD.CONF 5 "" "superd {version}" "superd"
.nr HY 0
.ad l
.SH NAME
superd.conf \- what superd(8) serves, and how
"""
FOOTER = r""".SH FILES
superd reads no file but the one that
.B \-\-config
names, and those that it includes; by habit it is
.IR /etc/superd.toml .
.SH SEE ALSO
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


class Unknown(Exception):
    """What this script cannot make a page of."""


# --- Markdown to blocks ---


def blocks_of(text):
    """(kind, content, number of its first line): heading, code, table, list or paragraph."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        begin, kind = at, kind_of(lines[at], at + 1)
        if kind == "blank":
            at += 1
        elif kind == "heading":
            yield kind, lines[at], begin + 1
            at += 1
        elif kind == "fence":
            at = next((n for n in range(begin + 1, len(lines)) if lines[n] == "```"), None)
            if at is None:
                raise Unknown(f"{begin + 1}: this code never ends")
            yield "code", lines[begin + 1:at], begin + 1
            at += 1
        else:
            while at < len(lines) and belongs(lines, at, kind, begin):
                at += 1
            yield kind, CONTENT[kind](lines[begin:at]), begin + 1


def kind_of(line, number):
    if re.match(r"\s*(<|!\[|>|\d+\. |[*+] |---|~~~)", line):
        raise Unknown(f"{number}: no rule for this Markdown: {line.strip()[:40]}")
    for kind, begins in (("fence", "```"), ("heading", "#"), ("table", "|"), ("list", "- "), ("code", "    ")):
        if line.startswith(begins):
            return kind
    return "paragraph" if line.strip() else "blank"


def belongs(lines, at, kind, begin):
    """Does this line go on with the block that begins there?"""
    here = kind_of(lines[at], at + 1)
    if kind == "code":  # with the empty lines within it
        return here == "code" or (here == "blank" and at + 1 < len(lines) and lines[at + 1].startswith("    "))
    if kind == "list":
        return here == "list" or lines[at].startswith("  ")
    return here == kind or at == begin


def items_of(lines):
    items = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:])
        else:
            items[-1] += " " + line.strip()
    return items


def rows_of(lines):
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


CONTENT = {
    "code": lambda lines: [line[4:] for line in lines],
    "list": items_of,
    "table": rows_of,
    "paragraph": lambda lines: " ".join(line.strip() for line in lines),
}


# --- text to roff ---

INLINE = re.compile(r"`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\((?P<target>[^)]+)\)|\*\*(?P<strong>[^*]+)\*\*"
                    r"|\*(?P<stressed>[^*\s][^*]*)\*")
ESCAPES = {"\\": r"\(rs", "~": r"\(ti", "^": r"\(ha", "`": r"\(ga", "'": r"\(aq"}


def escaped(text):
    return "".join(ESCAPES.get(letter, letter) for letter in text)


def code(text):
    """To be copied as it stands: no hyphen but minus; a long word may break where a path does."""
    text = escaped(text).replace("-", r"\-")
    return re.sub(r"(?<=\S):(?=/)", r":\:", text)


def slug(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def inline(text, anchors):
    """Code and what is strong in bold; of a link to another page its name, of one within this page nothing."""
    out, at = "", 0
    for match in INLINE.finditer(text):
        out += escaped(text[at:match.start()])
        at = match.end()
        if match["code"]:
            out += rf"\fB{code(match['code'])}\fR"
        elif match["strong"]:
            out += rf"\fB{escaped(match['strong'])}\fR"
        elif match["stressed"]:
            out += rf"\fI{escaped(match['stressed'])}\fR"
        else:
            out += inline(match["text"], anchors) + pointer(match["target"], anchors)
    return out + escaped(text[at:])


def pointer(target, anchors):
    page, _, anchor = target.partition("#")
    if ":" in page:
        return f" ({code(target)})"
    if page:
        return f" (docs/{page})"
    if anchor not in anchors:
        raise Unknown(f"no heading has the anchor #{anchor}")
    return ""


def sentence(text):
    """A cell with a capital, which may stand in a link, and a full stop."""
    return re.sub(r"^\[?[a-z]", lambda begin: begin[0].upper(), text).rstrip(".") + "."


def guarded(line):
    """No request of roff, whatever it begins with."""
    return r"\&" + line if line.startswith((".", "'")) else line


def lines_of(text, anchors):
    """A sentence begins a line, as roff wants them."""
    sentences = re.split(r"(?<=[.?!]) (?=\S)", inline(text, anchors))
    return [guarded(line) for one in sentences for line in
            textwrap.wrap(one, 80, break_long_words=False, break_on_hyphens=False)]


# --- blocks to roff ---


def heading_of(line, anchors):
    level, title = re.fullmatch(r"(#+) (.+)", line).groups()
    if len(level) == 1:
        return [".SH DESCRIPTION"]
    return [f'.SH "{escaped(title.upper())}"'] if len(level) == 2 else [f'.SS "{escaped(title)}"']


def code_of(lines, anchors):
    shown = [piece for line in aligned(lines) for piece in wrapped(line)]
    return [".PP", ".RS 2", ".EX", *(guarded(code(line)) for line in shown), ".EE", ".RE"]


def aligned(lines):
    """Comments at the ends of lines, under one another, as far to the left as they can be."""
    parted = [re.fullmatch(r"(.*?\S)\s{2,}(# .*)", line) for line in lines]
    column = max((len(match[1]) for match in parted if match), default=0) + 2
    return [f"{match[1]:<{column}}{match[2]}" if match else line for match, line in zip(parted, lines)]


def wrapped(line):
    if len(line) <= CODE_COLUMNS:
        return [line]
    pieces = textwrap.wrap(line, CODE_COLUMNS, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    if "  # " in line or any(len(piece) > CODE_COLUMNS for piece in pieces):
        raise Unknown(f"longer than {CODE_COLUMNS} columns: {line}")
    return pieces


def list_of(items, anchors):
    return [line for item in items for line in (r".IP \(bu 2", *lines_of(item, anchors))]


def paragraph_of(text, anchors):
    return [".PP", *lines_of(text, anchors)]


def table_of(rows, anchors):
    header, *rows = rows
    out = []
    for row in rows:
        if len(row) != len(header):
            raise Unknown(f"{len(row)} cells in a table of {len(header)}: {row[0]}")
        out += key_of(row, anchors) if header == KEY_HEADER else tagged(row, anchors)
    return out


def key_of(row, anchors):
    name, default, value, meaning = row
    return [".TP", f".B {name.strip('`')}", *lines_of(sentence(value), anchors), f"Default: {inline(default, anchors)}.",
            ".br", *lines_of(sentence(meaning), anchors)]


def tagged(row, anchors):
    """The first cell is the tag, with those in the middle in brackets; the last one is the paragraph."""
    first, *middle, last = row
    tag = inline(" ".join([first, *(f"({cell})" for cell in middle)]), anchors)
    body = lines_of(sentence(last), anchors)
    is_long = len(re.sub(r"\\f.", "", tag)) > TAG_COLUMNS
    return [".PP", tag, ".RS", *body, ".RE"] if is_long else [".TP", tag, *body]


RENDER = {"heading": heading_of, "code": code_of, "list": list_of, "paragraph": paragraph_of, "table": table_of}


def page_of(text):
    """The body of the page."""
    blocks = list(blocks_of(text))
    anchors = {slug(content.lstrip("# ")) for kind, content, _ in blocks if kind == "heading"}
    out, is_left_out = [], False
    for kind, content, number in blocks:
        if kind == "heading" and not content.startswith("###"):
            is_left_out = content.lstrip("# ") in LEFT_OUT
        try:
            out += [] if is_left_out else RENDER[kind](content, anchors)
        except Unknown as problem:
            raise Unknown(f"{number}: {problem}") from None
    # A heading begins a paragraph by itself.
    return re.sub(r"(?m)^(\.S[HS] .*\n)\.PP\n", r"\1", "\n".join(out) + "\n")


def whole_page():
    version = re.search(r"project\(\s*superd\s[^)]*?VERSION\s+([\d.]+)", tree.read("CMakeLists.txt"))[1]
    return HEADER.replace("{version}", version) + page_of(tree.read(SOURCE)) + FOOTER


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
