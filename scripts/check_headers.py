"""Each header of the library compiles alone, so that whoever includes it need not know what it needs.

usage: check_headers.py [FOLDER/]...   (superd/)
The compiler is $CXX or g++. A header that passed is looked at again when it, or what it includes, has changed.
"""

import os
import subprocess
import sys

import tree

LIBRARIES = ["fmt", "tomlplusplus", "liburing"]


def main(folders):
    compiler = os.environ.get("CXX", "g++")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    flags = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], capture_output=True, text=True, check=True).stdout

    def command(name):
        # Included instead of compiled itself: #pragma once in a main file is a warning.
        return [compiler, "-fsyntax-only", "-std=c++23", "-Wall", "-Wextra", "-I.", *flags.split(),
                "-include", name, "-x", "c++", os.devnull]

    failed = tree.run_changed("headers", tree.files(".h", under=folders), command, version)
    tree.finish([f"{name}:1: does not compile alone:\n{output}" for name, output in failed.items()])


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or ("superd/",))
