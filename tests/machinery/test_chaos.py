"""The chaos drill's failure: it happens once, after the part is written, and only in the given shard."""

import asyncio
import inspect
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest
from render import Options, Retry, TaskContext, Workflows
from render.client.errors import TaskRunError

from customer_etl import worker
from customer_etl.engine.chaos import inject_failure
from customer_etl.engine.embedded import EmbeddedEngine, Event
from customer_etl.errors import RunError, SettingError

from ..helpers import FakeContext, files_in, run_shard_task, write_sources

app = Workflows()


@app.task
@inject_failure
def light_shard(ctx: TaskContext, shard_id: int) -> dict[str, Any]:
    """A shard that does no work, so that its process does not have to load pandas."""
    return {"shard_id": shard_id}


@pytest.fixture(autouse=True)
def three_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARD_COUNT", "3")
    monkeypatch.setenv("LOG_FORMAT", "text")


def run_light(shard_id: int) -> Any:
    return light_shard.func(FakeContext(), shard_id)


def test_without_the_variable_nothing_happens(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOS_FAIL_SHARD", " ")
    monkeypatch.setenv("CHAOS_MODE", "not a mode")
    monkeypatch.setenv("SHARD_COUNT", "not a count")

    assert run_light(1) == {"shard_id": 1}
    assert not output.exists()


def test_the_decorated_task_keeps_what_the_sdk_and_the_engine_inspect() -> None:
    function = worker.process_shard.func

    assert (function.__module__, function.__name__) == (worker.__name__, "process_shard")
    assert list(inspect.signature(function).parameters) == ["ctx", "shard_id"]


def test_only_the_first_attempt_of_the_shard_fails_after_its_work(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sources(data)
    clean = run_shard_task(1)
    expected = files_in(output)
    monkeypatch.setenv("CHAOS_FAIL_SHARD", "1")

    with pytest.raises(RunError, match=r"^shard 1: CHAOS_FAIL_SHARD made this attempt fail$"):
        run_shard_task(1)
    left = files_in(output)
    second = run_shard_task(1)

    assert left == {**expected, ".chaos-shard-1": b""}
    assert files_in(output) == expected  # the retry removed the marker, so the next run fails once again
    del clean["elapsed_ms"], second["elapsed_ms"]
    assert second == clean
    events = [line.split()[0] for line in capsys.readouterr().err.splitlines()]
    assert events == ["shard_start", "shard_end"] * 2 + ["chaos"] + ["shard_start", "shard_end"]


def test_the_other_shards_do_not_fail(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOS_FAIL_SHARD", "1")

    assert [run_light(shard_id) for shard_id in (0, 2)] == [{"shard_id": 0}, {"shard_id": 2}]
    assert not output.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_the_engine_recovers_from_a_kill(data: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sources(data)
    run_shard_task(2)
    expected = files_in(output)
    monkeypatch.setenv("CHAOS_FAIL_SHARD", "2")
    monkeypatch.setenv("CHAOS_MODE", "kill")
    events: list[Event] = []
    options = Options(retry=Retry(max_retries=1, wait_duration_ms=0))
    engine = EmbeddedEngine({"process_shard": options}, events.append)

    result = asyncio.run(engine.run(worker.process_shard, 2))

    assert result["shard_id"] == 2
    assert events == ["started", "retrying", "started", "completed"]
    assert files_in(output) == expected


def test_a_hanging_attempt_is_ended_by_its_timeout(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output.mkdir()
    monkeypatch.setenv("CHAOS_FAIL_SHARD", "0")
    monkeypatch.setenv("CHAOS_MODE", "hang")
    engine = EmbeddedEngine({"light_shard": Options(timeout_seconds=2)})

    with pytest.raises(TaskRunError, match="timed out after 2 s"):
        asyncio.run(engine.run(light_shard, 0))


def test_an_attempt_hangs_for_longer_than_any_timeout(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> NoReturn:
        raise TimeoutError(seconds)

    output.mkdir()
    monkeypatch.setenv("CHAOS_FAIL_SHARD", "0")
    monkeypatch.setenv("CHAOS_MODE", "hang")
    monkeypatch.setattr(time, "sleep", sleep)

    with pytest.raises(TimeoutError, match="86400"):
        run_light(0)
    assert run_light(0) == {"shard_id": 0}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CHAOS_FAIL_SHARD", "three"),
        ("CHAOS_FAIL_SHARD", "3"),
        ("CHAOS_FAIL_SHARD", "-1"),
        ("CHAOS_FAIL_SHARD", "01"),
        ("CHAOS_FAIL_SHARD", "\u0661"),
        ("CHAOS_MODE", "explode"),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_variable(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("CHAOS_FAIL_SHARD", "1")
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingError) as error:
        run_shard_task(0)

    assert str(error.value).startswith(f"{variable} must be ")
    assert repr(value) in str(error.value)
    assert not output.exists()
