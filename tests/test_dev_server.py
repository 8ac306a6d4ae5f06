"""The rendered service under the real `render workflows dev`, started by its own trigger."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from baked import BakedProject, bake, project_environment
from render_runtime import Faults, comparable, published_bytes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("render") is None, reason="the Render CLI is not on PATH"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    project = bake(tmp_path_factory.mktemp("dev-server"), {"shard_count": "3", "retry_wait_ms": "100"})
    project.generate(200, "--missing", "0.1", "--duplicates", "0.05")
    return project


@pytest.fixture(scope="module")
def embedded(project: BakedProject) -> dict[str, Any]:
    """The summary of the embedded engine's run, which the server's runs must give too."""
    return comparable(project.trigger(OUTPUT_URI="out-embedded"))


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return Faults(tmp_path_factory.mktemp("faults") / "faults")


@pytest.fixture(scope="module")
def server(project: BakedProject, faults: Faults, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dev server that runs the project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    nowhere = "http://127.0.0.1:9"  # nobody is there: a look beyond this machine would fail, and show
    environment = project_environment(
        HOME=str(home),
        HTTP_PROXY=nowhere,
        HTTPS_PROXY=nowhere,
        DO_NOT_TRACK="1",
        OUTPUT_URI="out-server",
        **faults.environment,
    )
    with (home / "server.log").open("w+", encoding="utf-8") as log:
        command = ("render", "workflows", "dev", "--port", str(port), "--")
        process = subprocess.Popen(
            [*command, "render-workflows", f"{project.package}.main:app"],
            cwd=project.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(process, port, Path(log.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            _kill_session(process.pid)
            process.wait(10)
    said = Path(log.name).read_text(encoding="utf-8")
    assert "process_shard" in said
    assert "127.0.0.1:9" not in said
    assert {path.name for path in home.iterdir()} == {"server.log"}


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server has its tasks; its port is open before that."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if "tasks found" in log.read_text(encoding="utf-8"):
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return
        time.sleep(0.05)
    raise AssertionError(f"the dev server did not start:\n{log.read_text(encoding='utf-8')}")


def _kill_session(leader: int) -> None:
    """End the server and what it has started: each task has a process group of its own, in one session."""
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(directory.name)) == leader:
                os.kill(int(directory.name), signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)  # where there is no /proc


def get(address: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=15) as reply:
        return json.load(reply)


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
    assert comparable(summary) == embedded
    assert published_bytes(project, "out-server") == published_bytes(project, "out-embedded")


@pytest.mark.parametrize("fault", ["error", "kill"])
def test_the_server_retries(
    project: BakedProject, embedded: dict[str, Any], server: str, faults: Faults, fault: str
) -> None:
    before = {run["taskRun"]["id"] for run in get(f"{server}/v1/task-runs")}
    faults.arm(fault)
    shutil.rmtree(project.path / "out-server", ignore_errors=True)
    summary = json.loads(trigger(project, server).stdout)
    assert not faults.armed(fault)
    assert comparable(summary) == embedded
    assert published_bytes(project, "out-server") == published_bytes(project, "out-embedded")
    runs = [run["taskRun"] for run in get(f"{server}/v1/task-runs") if run["taskRun"]["id"] not in before]
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
        messages = [log["message"] for log in get(f"{server}/v1/logs")["logs"]]
        lines = [line for message in messages for line in message.splitlines()]
        events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
        time.sleep(0.05)
    assert events[-4:] == expected
