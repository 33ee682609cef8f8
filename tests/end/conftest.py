"""Fixtures of the end-to-end tests; harness.py holds the rest."""

import contextlib
import resource
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Superd  # noqa: E402


@pytest.fixture
def superd(tmp_path):
    """Starts programs that end with the test: superd({"echo": {"listen": ["tcp"]}})."""
    with contextlib.ExitStack() as running:
        def start(services, **options):
            return running.enter_context(Superd(tmp_path, services, **options))

        yield start


@pytest.fixture(scope="session", autouse=True)
def many_descriptors():
    """Thousands of clients live in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def needs():
    """needs("nmap"): its path, or the test is skipped."""
    def find(program):
        path = shutil.which(program)
        if not path:
            pytest.skip(f"{program} is not installed")
        return path

    return find
