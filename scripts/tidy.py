"""clang-tidy over the C++ files; one that passed is read again when it, what it includes, or .clang-tidy has changed.

usage: tidy.py [FILE]...   after the preset clang was configured, whose commands it reads
"""

import subprocess
import sys

import tree

TIDY = "clang-tidy-19"


def main(chosen):
    commands = tree.ROOT / "build" / "clang"
    if not (commands / "compile_commands.json").is_file():
        tree.finish(["build/clang/compile_commands.json is missing: configure it with ./dev build clang"])
    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True, check=True).stdout
    rules = tree.read(".clang-tidy") + tree.read("tests/.clang-tidy") + tree.read("CMakeLists.txt") + version

    def command(name):
        return [TIDY, "--quiet", "-p", str(commands), name]

    names = chosen or tree.files(".cpp")
    failed = tree.run_changed("tidy", names, command, rules)
    tree.finish([line for output in failed.values() for line in told(output)])


def told(output):
    """The output without the count of warnings in other people's headers."""
    return [line for line in output.splitlines() if not line.endswith("warnings generated.")]


if __name__ == "__main__":
    main(sys.argv[1:])
