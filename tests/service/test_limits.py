"""The tests' own processes end at their limit, so that no test waits forever."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from support import processes

# Two processes that hold stdout open; job control gives the one in the background a process group of its own.
HANGING = ("bash", "-c", "set -m; sleep 100 & sleep 100")

pytestmark = pytest.mark.skipif(not processes.HAS_PROC, reason="needs /proc to find processes")


def test_reading_ends_at_the_limit(tmp_path: Path) -> None:
    started = time.monotonic()
    with processes.running(
        HANGING, cwd=tmp_path, environment=os.environ, limit=0.5, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.read() == ""
    assert time.monotonic() - started < 20


def test_all_processes_end_with_the_block(tmp_path: Path) -> None:
    marked = {**os.environ, "PROCESS_MARK": str(tmp_path)}
    with processes.running(HANGING, cwd=tmp_path, environment=marked):
        processes.wait_until(lambda: len(processes.find_marked(str(tmp_path))) == 3, "both children")
    processes.wait_until(lambda: not processes.find_marked(str(tmp_path)), "the end of all processes")


def test_a_command_that_takes_too_long_raises(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run(HANGING, cwd=tmp_path, environment=os.environ, limit=0.5)
