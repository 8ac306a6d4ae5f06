"""The embedded engine leaves no process behind, however its trigger ends."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from support.baked import PROGRAMS, BakedProject
from support.processes import HAS_PROC, find_marked, wait_until

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="needs /proc to find processes")

DEADLINE_SECONDS = 20


@dataclass
class HangingRun:
    """A trigger whose attempts hang.

    Attributes:
        trigger: the trigger's process.
        mark: the value of PROCESS_MARK in the environment of all its processes, and of no others.
    """

    trigger: subprocess.Popen[str]
    mark: str

    def processes(self) -> list[int]:
        """Return the ids of all processes of the run."""
        return find_marked(self.mark)


@pytest.fixture
def run(bake_project: Callable[..., BakedProject]) -> Iterator[HangingRun]:
    """A run with as many attempts as can run at a time."""
    project = bake_project(shard_count="4")
    project.generate(10)
    slow = (PROGRAMS / "slow_pipeline.py").read_text(encoding="utf-8")
    (project.path / project.module_file("pipeline")).write_text(slow, encoding="utf-8")
    mark = str(project.path)
    with project.start("python", "trigger.py", "--local", PROCESS_MARK=mark) as trigger:
        run = HangingRun(trigger, mark)
        count = 1 + min(4, len(os.sched_getaffinity(0)))
        try:
            wait_until(lambda: len(run.processes()) == count, f"{count} processes")
            yield run
        finally:
            for pid in run.processes():
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_trigger_that_ends_takes_its_attempts_along(run: HangingRun, number: signal.Signals) -> None:
    run.trigger.send_signal(number)
    run.trigger.wait(DEADLINE_SECONDS)
    wait_until(lambda: not run.processes(), "the end of all processes")
    if number == signal.SIGINT:
        _, errors = run.trigger.communicate(timeout=DEADLINE_SECONDS)
        assert run.trigger.returncode == 130
        assert "Traceback" not in errors
    else:
        assert run.trigger.returncode == -number


def test_ctrl_c_on_the_whole_group_ends_all(run: HangingRun) -> None:
    """A terminal sends Ctrl-C to the attempts, too: they leave the decision to the engine."""
    os.killpg(run.trigger.pid, signal.SIGINT)
    _, errors = run.trigger.communicate(timeout=DEADLINE_SECONDS)
    assert run.trigger.returncode == 130
    assert "Traceback" not in errors
    wait_until(lambda: not run.processes(), "the end of all processes")
