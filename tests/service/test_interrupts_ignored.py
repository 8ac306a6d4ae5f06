"""The tests of Ctrl-C pass when the test run itself was started with SIGINT ignored, as in the background."""

import sys
from pathlib import Path

import pytest

from support import processes
from support.baked import PROGRAMS, project_environment
from support.variants import TEMPLATE

HERE = Path(__file__).parent
INTERRUPTED = (
    f"{HERE / 'test_processes_end.py'}::test_trigger_that_ends_takes_its_attempts_along[SIGINT]",
    f"{HERE / 'test_remote_interrupted.py'}::test_ctrl_c_without_a_terminal_leaves_the_run_alone",
)


@pytest.mark.skipif(not processes.HAS_PROC, reason="the tests need /proc to find processes")
@pytest.mark.parametrize("workers", ["0", "1"])
def test_ctrl_c_tests_pass_with_sigint_ignored(tmp_path: Path, workers: str) -> None:
    """In the process of pytest itself, and in one that pytest-xdist starts."""
    ignoring = [sys.executable, str(PROGRAMS / "ignore_interrupts.py"), sys.executable, "-m", "pytest"]
    options = ["-p", "no:cacheprovider", "--basetemp", str(tmp_path / "inner"), "--numprocesses", workers]
    done = processes.run(
        [*ignoring, *options, *INTERRUPTED], cwd=TEMPLATE, environment=project_environment(), limit=90
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
