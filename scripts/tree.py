"""What the checks share: the project's files, C++ without its comments, and what a file depends on."""

import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)

_NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | (?:\b(?:u8|u|U|L))?\bR"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'
    """,
    re.VERBOSE | re.DOTALL,
)


def listed_by_git():
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=False
    )
    return listing.stdout.splitlines() if listing.returncode == 0 else None


def files(*suffixes, under=("",)):
    """Relative paths of the project's files, committed or not, that end in one of `suffixes`."""
    names = listed_by_git() if shutil.which("git") else None
    if names is None:  # a tree without its repository, or a machine that only builds
        names = []
        for folder, folders, leaves in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in ("build", ".git", "__pycache__", "node_modules")]
            names += [str((Path(folder) / leaf).relative_to(ROOT)) for leaf in leaves]
    return sorted(
        name for name in names if name.endswith(suffixes) and name.startswith(tuple(under)) and (ROOT / name).is_file()
    )


def read(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def code_of(text):
    """The text with comments and literals blanked; every character keeps its place."""

    def blank(match):
        found = match.group(0)
        if found.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", found)
        return '"' + re.sub(r"[^\n]", " ", found[1:-1]) + '"'

    return _NOT_CODE.sub(blank, text)


def includes(text):
    """(line, "<" or the double quote, path) of each #include."""
    return [(text.count("\n", 0, m.start(1)) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def fingerprint(name, *more):
    """A hash of the file, of all of the project that it includes, and of what else decides the outcome."""
    digest = hashlib.sha256("\0".join(more).encode())
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current in seen or not (ROOT / current).is_file():
            continue
        seen.add(current)
        text = read(current)
        digest.update(f"\0{current}\0{text}".encode())
        for _, quote, path in includes(text):
            if quote == '"':
                beside = str(Path(current).parent / path)
                waiting += [path, beside]
    return digest.hexdigest()


def run_changed(cache_name, names, command_of, rules=""):
    """Runs a command per file, as many at a time as there are processors, and skips a file that passed before with
    the same fingerprint under the same rules. Returns {name: output} of those that failed."""
    cache = ROOT / "build" / "checks" / f"{cache_name}.json"
    passed = json.loads(cache.read_text()) if cache.is_file() else {}
    prints = {name: fingerprint(name, rules, *command_of(name)) for name in names}
    changed = [name for name in names if passed.get(name) != prints[name]]

    def judge(name):
        return subprocess.run(command_of(name), cwd=ROOT, capture_output=True, text=True, check=False)

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = dict(zip(changed, pool.map(judge, changed)))
    failed = {name: result.stdout + result.stderr for name, result in results.items() if result.returncode != 0}

    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(f".{os.getpid()}")
    passed.update(prints)
    fresh.write_text(json.dumps({name: mark for name, mark in passed.items() if name not in failed}))
    fresh.replace(cache)
    return failed


def finish(problems):
    """Prints the problems and ends the process."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


def self_test(good, bad, problems_of):
    """Ends the process; fails if a good sample is refused or a bad one passes."""
    wrong = [f"good sample refused: {sample!r}: {problems_of(sample)}" for sample in good if problems_of(sample)]
    wrong += [f"bad sample passed: {sample!r}" for sample in bad if not problems_of(sample)]
    finish(wrong)
