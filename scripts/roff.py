"""Blocks of Markdown as a manual page: macros of man(7), which groff and mandoc both know."""

import re
import textwrap

from markdown import Unknown, blocks_of

KEY_HEADER = ["key", "default", "value", "meaning"]
CODE_COLUMNS = 69  # of 80: man(1) leaves two free, a paragraph is indented by seven, code by two more
TAG_COLUMNS = 60  # groff does not break a longer tag

# --- text ---

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


# --- blocks ---


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


def page_of(text, left_out=()):
    """The body of the page; without the sections of those names."""
    blocks = list(blocks_of(text))
    anchors = {slug(content.lstrip("# ")) for kind, content, _ in blocks if kind == "heading"}
    out, is_left_out = [], False
    for kind, content, number in blocks:
        if kind == "heading" and not content.startswith("###"):
            is_left_out = content.lstrip("# ") in left_out
        try:
            out += [] if is_left_out else RENDER[kind](content, anchors)
        except Unknown as problem:
            raise Unknown(f"{number}: {problem}") from None
    # A heading begins a paragraph by itself.
    return re.sub(r"(?m)^(\.S[HS] .*\n)\.PP\n", r"\1", "\n".join(out) + "\n")
