"""The Markdown that the pages of docs/ are written in, as blocks. Any other is refused rather than guessed at."""

import re


class Unknown(Exception):
    """What no page can be made of."""


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
    if not line.startswith("    ") and re.match(r"\s*(<|!\[|>|\d+\. |[*+] |---|~~~)", line):
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
