"""Words that do not belong into the tree, and links of documents that lead nowhere.

usage: check_prose.py [--self-test]
"""

import re
import sys
from pathlib import Path

import tree

# Written so that this file does not find itself.
FORBIDDEN = [
    (re.compile(r"(?<![\w.-])/(?:wor[k]|far[m]|tmp/[h])/"), "a path of one machine"),
    (re.compile(r"\b(?:maste[r]|slav[e])s?\b", re.IGNORECASE), "say listener and worker"),
    (re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b"), "do it, or write an issue"),
]
LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)")
BINARY = (".png", ".ico", ".woff2", ".gz", ".pcap", ".lock", "package-lock.json")


def problems_in(path, text):
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, remedy in FORBIDDEN:
            match = pattern.search(line)
            if match:
                problems.append(f"{path}:{number}: {match.group(0)}: {remedy}")
        if path.endswith(".md"):
            problems += [f"{path}:{number}: {target}: no such file" for target in dead_links(path, line)]
    return problems


def dead_links(path, line):
    for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
        name = target.split("#")[0]
        if not name or re.match(r"[a-z][a-z0-9+.-]*:", name):
            continue
        base = tree.ROOT if name.startswith("/") else (tree.ROOT / path).parent
        if not (base / name.lstrip("/")).exists():
            yield target


GOOD = ["see [the check](scripts/check_prose.py#L1) and [the site](https://example.org)", "a network/worker path"]
BAD = [
    "/" "work/main",
    "the Sla" "ve thread",
    "// TO" "DO: later",
    "see [this](docs/there-is-no-such-page.md)",
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        tree.self_test(GOOD, BAD, lambda sample: problems_in("sample.md", sample))
    found = []
    for name in tree.files(""):
        if not name.endswith(BINARY) and Path(name).name != ".gitignore":
            found += problems_in(name, tree.read(name))
    tree.finish(found)
