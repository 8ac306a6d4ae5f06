"""A run on Render's own dev server, started by the project's trigger, is like one on the embedded engine."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support import dev_server
from support.baked import BakedProject, bake, without_times
from support.faults import Faults

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not dev_server.HAS_CLI, reason="the Render CLI is not on PATH"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    project = bake(tmp_path_factory.mktemp("dev-server"), {"shard_count": "3", "retry_wait_ms": "100"})
    project.generate(200, "--missing", "0.1", "--duplicates", "0.05")
    return project


@pytest.fixture(scope="module")
def embedded(project: BakedProject) -> dict[str, Any]:
    """The summary on the embedded engine, which the server's runs must give too."""
    return without_times(project.trigger(OUTPUT_URI="out-embedded"))


@pytest.fixture(scope="module")
def server_faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    """Failures of the server's tasks, for a test to arm."""
    return Faults(tmp_path_factory.mktemp("faults") / "faults")


@pytest.fixture(scope="module")
def server(
    project: BakedProject, server_faults: Faults, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a dev server that runs the project."""
    environment = {"OUTPUT_URI": "out-server", **server_faults.environment}
    with dev_server.serve(project, tmp_path_factory.mktemp("home"), environment) as address:
        yield address


def trigger(
    project: BakedProject, server: str, *options: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the project's trigger against the dev server."""
    environment = {"RENDER_LOCAL_DEV_URL": server, "NO_PROXY": "127.0.0.1"}
    return project.run("python", "trigger.py", "--json", *options, check=check, **environment)


def test_gives_the_same_as_the_embedded_engine(
    project: BakedProject, embedded: dict[str, Any], server: str
) -> None:
    shutil.rmtree(project.path / "out-server", ignore_errors=True)
    summary = json.loads(trigger(project, server).stdout)
    assert without_times(summary) == embedded
    assert project.published_bytes("out-server") == project.published_bytes("out-embedded")


@pytest.mark.parametrize("fault", ["error", "kill"])
def test_the_server_retries(
    project: BakedProject, embedded: dict[str, Any], server: str, server_faults: Faults, fault: str
) -> None:
    before = {run["taskRun"]["id"] for run in dev_server.get(f"{server}/v1/task-runs")}
    server_faults.arm(fault)
    shutil.rmtree(project.path / "out-server", ignore_errors=True)
    summary = json.loads(trigger(project, server).stdout)
    assert not server_faults.armed(fault)
    assert without_times(summary) == embedded
    assert project.published_bytes("out-server") == project.published_bytes("out-embedded")
    runs = [
        run["taskRun"]
        for run in dev_server.get(f"{server}/v1/task-runs")
        if run["taskRun"]["id"] not in before
    ]
    assert sorted(len(run["attempts"]) for run in runs) == [1, 1, 1, 2]
    (retried,) = (run for run in runs if len(run["attempts"]) == 2)
    assert [attempt["status"] for attempt in retried["attempts"]] == ["failed", "completed"]
    assert retried["parentTaskRunId"]


def test_runs_single_shards(project: BakedProject, server: str) -> None:
    summary = json.loads(trigger(project, server, "--shards", "2,0").stdout)
    assert [shard["shard_id"] for shard in summary["shards"]] == [0, 2]


def test_a_failed_run_exits_1(project: BakedProject, server: str) -> None:
    done = trigger(project, server, "--shards", "3", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "there is no shard 3; the shards are 0 to 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_keeps_the_log(project: BakedProject, server: str) -> None:
    trigger(project, server, "--shards", "1")
    expected = ["run_start", "shard_start", "shard_end", "run_end"]
    deadline = time.monotonic() + 10  # the server may read the last lines after it has told the result
    events: list[str] = []
    while events[-4:] != expected and time.monotonic() < deadline:
        messages = [log["message"] for log in dev_server.get(f"{server}/v1/logs")["logs"]]
        lines = [line for message in messages for line in message.splitlines()]
        events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
        time.sleep(0.05)
    assert events[-4:] == expected
