"""The program as a command: calls that end by themselves, and the tables it tells of."""

import functools
import json
import os
import signal
import subprocess
from pathlib import Path

from clients import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SUPERD_BUILD", ROOT / "build/release"))
PROGRAM = os.environ.get("SUPERD", str(ROOT / "build/release/superd"))

SANITIZER_WORDS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "MemorySanitizer", "runtime error:")
SANITIZER_EXIT = 99  # as ./dev asks the sanitizers for


def run_superd(*arguments, **options):
    """One call of the program that ends by itself; a CompletedProcess with text."""
    options.setdefault("timeout", PATIENCE)
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True, **options)
    assert_sane(done.returncode, done.stderr)
    return done


@functools.lru_cache(maxsize=None)
def tables():
    """The program's own tables: services, designs, engines."""
    done = run_superd("--list")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ways_to_serve(*designs):
    """The settings of each design as often as it has engines, and of event designs with one loop and with two."""
    ways = []
    for design in tables()["designs"]:
        if designs and design["name"] not in designs:
            continue
        engines = design["engines"] or [None]
        loops = [1, 2] if design["uses_loops"] else [None]
        workers = 3 if design["uses_workers"] else None
        for engine in engines:
            for count in loops:
                way = {"design": design["name"], "engine": engine, "loops": count, "workers": workers}
                ways.append({key: value for key, value in way.items() if value is not None})
    return ways


def name_of_way(way):
    return "-".join(str(way[key]) for key in ("design", "engine", "loops") if key in way)


def every_way(*designs):
    """A parameter `way` for each; pytest.mark.parametrize takes it."""
    ways = ways_to_serve(*designs)
    return {"argnames": "way", "argvalues": ways, "ids": map(name_of_way, ways)}


def assert_sane(code, errors):
    """No sanitizer has spoken, and no signal has ended it."""
    assert not any(word in errors for word in SANITIZER_WORDS), errors
    assert code != SANITIZER_EXIT, errors
    assert code >= 0, f"ended by {signal.Signals(-code).name}\n{errors}"
