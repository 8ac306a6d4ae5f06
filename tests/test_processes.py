"""The embedded engine leaves no process behind, however its trigger ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from baked import BakedProject, project_environment

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to find processes"
)

DEADLINE_SECONDS = 20
# An attempt that takes longer than this test, in place of the pipeline's work.
SLOW_PIPELINE = "import time\n\n\ndef run_shard(shard_id, settings):\n    time.sleep(120)\n"


def processes_with(mark: str) -> list[int]:
    """The processes whose environment holds a text, zombies left out: they have none."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                environment = (directory / "environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in environment:
                found.append(int(directory.name))
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def running(bake_project: Callable[..., BakedProject]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A trigger with two attempts that hang, and a mark in the environment of all its processes."""
    project = bake_project(shard_count="4")
    project.generate(10)
    (project.path / "src" / project.package / "pipeline.py").write_text(SLOW_PIPELINE)
    mark = f"PROCESS_MARK={project.path}"
    process = subprocess.Popen(
        [sys.executable, "trigger.py", "--local"],
        cwd=project.path,
        env=project_environment(PROCESS_MARK=str(project.path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    attempts = min(4, len(os.sched_getaffinity(0)))
    wait_until(lambda: len(processes_with(mark)) == 1 + attempts)
    yield process, mark
    for pid in processes_with(mark):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=DEADLINE_SECONDS)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_trigger_that_ends_takes_its_attempts_along(
    running: tuple["subprocess.Popen[str]", str], number: signal.Signals
) -> None:
    process, mark = running
    process.send_signal(number)
    process.wait(DEADLINE_SECONDS)
    wait_until(lambda: not processes_with(mark))
    if number == signal.SIGINT:
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 130
        assert "Traceback" not in errors
    else:
        assert process.returncode == -number


def test_ctrl_c_on_the_whole_group_ends_all(running: tuple["subprocess.Popen[str]", str]) -> None:
    """A terminal sends Ctrl-C to the attempts, too: they leave the decision to the engine."""
    process, mark = running
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in errors
    wait_until(lambda: not processes_with(mark))
