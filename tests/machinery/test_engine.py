"""The embedded engine: one process per attempt, retries, timeouts, and Render's limits on payloads."""

import asyncio
import json
import math
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from render import Options, Retry
from render.client.errors import TaskRunError
from render.workflows import TaskDefinition

from customer_etl.engine import embedded
from customer_etl.engine.embedded import EmbeddedEngine, Event
from customer_etl.engine.payload import MAX_PAYLOAD_BYTES
from customer_etl.errors import PayloadError

from . import tasks

Task = TaskDefinition[..., Any]

NO_RETRY = Retry(max_retries=0, wait_duration_ms=0)


def run(
    task: Task,
    *arguments: object,
    retry: Retry = NO_RETRY,
    timeout_seconds: int | None = None,
    events: list[Event] | None = None,
) -> Any:
    """Run a task on the engine, as the orchestrator does.

    Args:
        task: the task.
        arguments: the task's arguments, by position.
        retry: the task's retries; none by default.
        timeout_seconds: the task's timeout; none by default.
        events: receives the events of the engine.
    """
    options = {task.name: Options(retry=retry, timeout_seconds=timeout_seconds)}
    noted: list[Event] = [] if events is None else events
    return asyncio.run(EmbeddedEngine(options, noted.append).run(task, *arguments))


def replace_processes(monkeypatch: pytest.MonkeyPatch, reply: dict[str, Any]) -> dict[str, int]:
    """Replace the process of each attempt with a coroutine that returns this reply.

    Returns:
        How many attempts there were, how many are active, and how many were active at most.
    """
    counts = {"attempts": 0, "active": 0, "most": 0}

    async def run_process(request: str) -> dict[str, Any]:
        counts["attempts"] += 1
        counts["active"] += 1
        counts["most"] = max(counts["most"], counts["active"])
        for _ in range(5):  # let all other attempts start that may start now
            await asyncio.sleep(0)
        counts["active"] -= 1
        return reply

    monkeypatch.setattr(embedded, "_run_process", run_process)
    return counts


def test_an_attempt_returns_its_result() -> None:
    events: list[Event] = []

    assert run(tasks.add, 2, 3, events=events) == {"sum": 5}
    assert events == ["started", "completed"]


def test_what_a_task_prints_goes_to_stderr_and_not_into_the_reply(capsys: pytest.CaptureFixture[str]) -> None:
    ids = run(tasks.chatter)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert sorted(printed.err.splitlines()) == [
        "from a process",
        "from print",
        "from stderr",
        "from the descriptor",
    ]
    assert ids["root_task_run_id"] == ids["parent_task_run_id"] != ids["task_run_id"]


def test_arguments_may_be_passed_by_name_but_not_mixed() -> None:
    local = EmbeddedEngine({})

    assert asyncio.run(local.run(tasks.add, left=2, right=3)) == {"sum": 5}
    with pytest.raises(TypeError, match="all arguments by position, or all by name"):
        asyncio.run(local.run(tasks.add, 2, right=3))


def test_an_error_is_retried_as_often_as_the_options_say(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    events: list[Event] = []

    with pytest.raises(TaskRunError) as error:
        run(tasks.fail, str(marks), retry=Retry(max_retries=2, wait_duration_ms=0), events=events)

    assert marks.read_text(encoding="utf-8") == "xxx"
    assert str(error.value) == "Subtask failed: no luck, 3 times"
    assert events == ["started", "retrying", "started", "retrying", "started", "failed"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_attempt_is_one_failure_and_the_retry_succeeds(tmp_path: Path) -> None:
    events: list[Event] = []
    retry = Retry(max_retries=1, wait_duration_ms=0)

    result = run(tasks.die_once, str(tmp_path / "marker"), retry=retry, events=events)

    assert result == {"survived": True}
    assert events == ["started", "retrying", "started", "completed"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_attempt_does_not_affect_another(tmp_path: Path) -> None:
    async def run_both() -> list[Any]:
        local = EmbeddedEngine({})
        both = (local.run(tasks.die_once, str(tmp_path / "marker")), local.run(tasks.add, 2, 3))
        return list(await asyncio.gather(*both, return_exceptions=True))

    killed, added = asyncio.run(run_both())

    assert isinstance(killed, TaskRunError)
    assert str(killed) == "Subtask failed: the process ended by SIGKILL"
    assert added == {"sum": 5}


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_ends_without_a_result_has_failed(code: int) -> None:
    with pytest.raises(TaskRunError) as error:
        run(tasks.leave, code)

    assert str(error.value) == f"Subtask failed: the process ended with exit code {code} and no result"


@pytest.mark.skipif(sys.platform == "win32", reason="the process is a shell script")
def test_a_process_that_dies_while_it_replies_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "half"
    script.write_text('#!/bin/sh\nprintf \'{"result": {"su\'\nkill -9 $$\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))

    with pytest.raises(TaskRunError, match="the process ended by SIGKILL"):
        run(tasks.add, 2, 3)


def test_waits_grow_with_each_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        if seconds:
            waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    counts = replace_processes(monkeypatch, {"error": "no luck"})

    with pytest.raises(TaskRunError, match="no luck"):
        run(tasks.add, 2, 3, retry=Retry(max_retries=3, wait_duration_ms=2_000, backoff_scaling=1.5))

    assert waits == [2.0, 3.0, 4.5]
    assert counts["attempts"] == 4


@pytest.mark.parametrize("cores", [1, 2])
def test_at_most_one_attempt_per_core_runs_at_a_time(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(embedded, "_usable_cores", lambda: cores)
    counts = replace_processes(monkeypatch, {"result": {}})

    async def run_many() -> None:
        local = EmbeddedEngine({})
        await asyncio.gather(*(local.run(tasks.add, number, 1) for number in range(6)))

    asyncio.run(run_many())

    assert counts == {"attempts": 6, "active": 0, "most": cores}


def test_an_attempt_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    processes: list[asyncio.subprocess.Process] = []
    start, timeout = asyncio.create_subprocess_exec, asyncio.timeout

    async def start_and_note(*command: str, **options: Any) -> asyncio.subprocess.Process:
        processes.append(await start(*command, **options))
        return processes[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start_and_note)
    monkeypatch.setattr(asyncio, "timeout", lambda seconds: timeout(seconds / 300))

    with pytest.raises(TaskRunError) as error:
        run(tasks.wait, timeout_seconds=60)

    assert str(error.value) == "Subtask failed: timed out after 60 s"
    (process,) = processes
    assert process.returncode == (1 if sys.platform == "win32" else -signal.SIGKILL)


def test_an_attempt_ends_when_its_engine_ends() -> None:
    metadata = {"task_run_id": None, "root_task_run_id": None, "parent_task_run_id": None}
    request = {"module": tasks.__name__, "function": "wait", "metadata": metadata, "args": [], "kwargs": {}}
    command = [sys.executable, "-c", f"from {embedded.__package__}.attempt import main; main()"]
    pipe = subprocess.PIPE

    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8") as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        assert process.stderr.readline() == "waiting\n"
        process.stdin.close()  # as the operating system does when the engine dies

        assert process.wait(timeout=30) == 1


def test_a_result_that_is_not_json_fails_the_attempt() -> None:
    with pytest.raises(TaskRunError, match="the result of not_json cannot be JSON"):
        run(tasks.not_json)


WRONG_VALUES = [
    pytest.param(math.nan, "cannot be JSON: ", id="NaN"),
    pytest.param(math.inf, "cannot be JSON: ", id="infinity"),
    pytest.param(np.int64(1), "cannot be JSON: ", id="numpy scalar"),
    pytest.param(b"bytes", "cannot be JSON: ", id="bytes"),
    pytest.param("x" * MAX_PAYLOAD_BYTES, f"bytes of JSON; the limit is {MAX_PAYLOAD_BYTES}", id="too long"),
    pytest.param(
        "ü" * (MAX_PAYLOAD_BYTES // 5),
        f"bytes of JSON; the limit is {MAX_PAYLOAD_BYTES}",
        id="too long in bytes",
    ),
]


@pytest.mark.parametrize(("value", "reason"), WRONG_VALUES)
def test_arguments_that_render_would_refuse_are_refused(value: object, reason: str) -> None:
    events: list[Event] = []

    with pytest.raises(PayloadError) as error:
        run(tasks.add, value, 3, events=events)

    assert str(error.value).startswith("the arguments of add ")
    assert reason in str(error.value)
    assert events == []


async def run_root(returned: object, **arguments: object) -> dict[str, Any]:
    """Run a root task that returns this value."""
    task: Task = TaskDefinition(lambda ctx, **arguments: returned, "root")
    return await EmbeddedEngine({}).run_root(task, **arguments)


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        *(pytest.param({"value": case.values[0]}, case.values[1], id=case.id) for case in WRONG_VALUES),
        pytest.param([{"value": 1}], "must be a JSON object (a dict), not list", id="list"),
        pytest.param("text", "must be a JSON object (a dict), not str", id="text"),
        pytest.param(None, "must be a JSON object (a dict), not NoneType", id="nothing"),
    ],
)
def test_results_that_render_would_refuse_or_change_are_refused(returned: object, reason: str) -> None:
    with pytest.raises(PayloadError) as error:
        asyncio.run(run_root(returned))

    assert str(error.value).startswith("the result of root ")
    assert reason in str(error.value)


def test_arguments_and_result_of_the_root_task_pass_as_json() -> None:
    with pytest.raises(PayloadError, match="the arguments of root cannot be JSON"):
        asyncio.run(run_root({}, shards=math.nan))

    assert asyncio.run(run_root({"pair": (1, 2), "text": "ü"})) == {"pair": [1, 2], "text": "ü"}


def test_the_root_task_runs_in_this_process_and_may_be_async() -> None:
    def root() -> Coroutine[Any, Any, dict[str, Any]]:
        return EmbeddedEngine({}).run_root(tasks.chatter)

    ids = asyncio.run(root())

    assert ids["task_run_id"] == ids["root_task_run_id"]
    assert ids["parent_task_run_id"] is None
