"""A file includes its own floor and lower ones, and a heavy header costs one translation unit.

usage: check_floors.py [--self-test]
"""

import sys

import tree

# ARCHITECTURE.md draws them. Rooms on one floor do not know each other.
FLOORS = [
    ["base"],
    ["net"],
    ["async"],
    ["engines", "serve"],
    ["designs", "services"],
    ["config"],
    ["super"],
    ["control", "lab"],
]
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}

HEAVY = {"toml++": "toml++/", "cpp-httplib": "httplib.h", "nlohmann-json": "nlohmann/", "CLI11": "CLI/"}


def room_of(path):
    """The room of a file of the library, "apps" for a program on top of it, None for what may see everything."""
    parts = path.split("/")
    if parts[0] == "superd" and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ("apps", "examples") else None


def problem_of(path, quote, included):
    room = room_of(path)
    if not included.startswith("superd/"):
        if quote == '"' and room in HEIGHT:
            return f'includes "{included}": the library includes its own files from the root, as "superd/..."'
        return None
    if room is None or room in ("apps", "examples"):
        return None
    other = room_of(included)
    for name in (room, other):
        if name not in HEIGHT:
            return f"superd/{name} has no floor: add it to scripts/check_floors.py"
    if room == other or HEIGHT[other] < HEIGHT[room]:
        return None
    where = "beside" if HEIGHT[other] == HEIGHT[room] else "above"
    return f"superd/{room} includes superd/{other}: which is {where} it"


def problems_of(sources):
    """`sources` is {path: text}."""
    problems, users = [], {library: [] for library in HEAVY}
    for path, text in sources.items():
        for line, quote, included in tree.includes(text):
            problem = problem_of(path, quote, included)
            if problem:
                problems.append(f"{path}:{line}: {problem}")
            for library, prefix in HEAVY.items():
                if included.startswith(prefix) and path.startswith(("superd/", "apps/")):
                    users[library].append((path, line))
    for library, places in users.items():
        problems += heavy_problems(library, places)
    return problems


def heavy_problems(library, places):
    problems = [
        f"{path}:{line}: {library} in a header: it is compiled once for each file that includes this one"
        for path, line in places
        if path.endswith(".h")
    ]
    # A program is one .cpp, so its options cost it nothing twice.
    inside = sorted({path for path, _ in places if path.endswith(".cpp") and path.startswith("superd/")})
    if len(inside) > 1:
        problems.append(f"{inside[1]}:1: {library} is included by {inside[0]} already: one .cpp each")
    return problems


GOOD = [
    {"superd/net/a.h": '#include "superd/base/error.h"\n#include "superd/net/b.h"'},
    {"superd/designs/a.cpp": '#include "superd/engines/epoll.h"\n#include "superd/serve/level.h"'},
    {"apps/a.cpp": '#include "superd/lab/a.h"\n#include <CLI/CLI.hpp>', "apps/b.cpp": "#include <CLI/CLI.hpp>"},
    {"superd/config/a.cpp": "#include <toml++/toml.h>", "tests/config/a.cpp": "#include <toml++/toml.h>"},
]
BAD = [
    {"superd/base/a.h": '#include "superd/net/b.h"'},
    {"superd/engines/a.cpp": '#include "superd/serve/level.h"'},
    {"superd/services/a.cpp": '  #  include <superd/designs/design.h>'},
    {"superd/lab/a.cpp": '#include "superd/control/a.h"'},
    {"superd/base/a.cpp": '#include "error.h"'},
    {"superd/attic/a.cpp": '#include "superd/base/error.h"'},
    {"superd/config/a.h": "#include <nlohmann/json.hpp>"},
    {"superd/config/a.cpp": "#include <toml++/toml.h>", "superd/config/b.cpp": "#include <toml++/toml.h>"},
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        tree.self_test(GOOD, BAD, problems_of)
    tree.finish(problems_of({path: tree.read(path) for path in tree.files(".h", ".cpp")}))
