"""A run on Render's own dev server, started by the project's trigger, is like one on the embedded engine."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import dev_server
from support.baked import BakedProject, bake, without_times
from support.faults import Faults
from support.processes import find_marked, wait_until

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
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the server, which holds its output."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(project: BakedProject, server_faults: Faults, home: Path) -> Iterator[str]:
    """The address of a dev server that runs the project."""
    environment = {"OUTPUT_URI": "out-server", **server_faults.environment}
    with dev_server.serve(project, home, environment) as address:
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


def test_make_dev_shows_the_tasks_logs(project: BakedProject, server: str, home: Path) -> None:
    shown = home / "server.log"
    before = len(shown.read_text(encoding="utf-8"))
    trigger(project, server, "--shards", "1")

    def has_all() -> bool:
        said = shown.read_text(encoding="utf-8")[before:]
        events = ("run_start", "shard_start", "shard_end", "run_end")
        return all(f'"event": "{event}"' in said for event in events)

    wait_until(has_all, "the events of the run")


def test_the_readme_s_commands_of_the_cli_work(default_project: BakedProject, tmp_path: Path) -> None:
    """Each is run as it stands there, on another port."""
    [block] = re.findall(r"```console\n(render .*?)```", default_project.read("README.md"), re.DOTALL)
    commands = block.splitlines()
    assert [re.sub(" --.*", "", command) for command in commands] == [
        "render workflows tasks list",
        "render workflows start merge_customer_data",
        "render workflows start merge_customer_data",
    ]
    with dev_server.serve(default_project, tmp_path, {"OUTPUT_URI": "out-cli"}) as address:
        port = address.rpartition(":")[2]
        done = [
            default_project.run(*shlex.split(command), "--port", port, HOME=str(tmp_path), DO_NOT_TRACK="1")
            for command in commands
        ]
        tasks, *started = [each.stdout for each in done]
        assert {"process_shard", "merge_customer_data"} <= set(tasks.split())
        assert not any(each.stderr for each in done), "no command is deprecated"
        runs = [
            re.findall("Created task run (trn-[0-9a-z]+) for merge_customer_data", text) for text in started
        ]
        summaries = [wait_for_summary(address, run) for [run] in runs]
    assert [[shard["shard_id"] for shard in summary["shards"]] for summary in summaries] == [
        list(range(10)),
        [3, 7],
    ]


def wait_for_summary(server: str, run: str) -> dict[str, Any]:
    """Return the result of a run on a dev server."""

    def is_done() -> bool:
        return bool(dev_server.get(f"{server}/v1/task-runs/{run}")["status"] in ("completed", "failed"))

    wait_until(is_done, "the end of the run", seconds=90)
    [summary] = dev_server.get(f"{server}/v1/task-runs/{run}")["results"]
    assert isinstance(summary, dict)
    return summary


def test_the_env_file_overrides_the_shell(project: BakedProject, tmp_path: Path) -> None:
    """As README.md and .env.example say: on the dev server, and nowhere else."""
    says = "its values override the shell's"
    assert says in project.read("README.md").replace("\n", " ")
    example = project.read(".env.example")
    assert says in example
    settings = example.replace("OUTPUT_URI=output", "OUTPUT_URI=out-env").replace(
        "SHARD_COUNT=3", "SHARD_COUNT=2"
    )
    assert settings.count("out-env") == settings.count("SHARD_COUNT=2") == 1
    (project.path / ".env").write_text(settings, encoding="utf-8")
    shell = {"OUTPUT_URI": "out-shell", "SHARD_COUNT": "4"}
    try:
        with dev_server.serve(project, tmp_path, shell) as address:
            on_server = json.loads(trigger(project, address).stdout)
        embedded = project.trigger(**shell)
    finally:
        (project.path / ".env").unlink()
    assert on_server["shards_processed"] == 2
    assert (project.path / "out-env" / "manifest.json").exists()
    assert embedded["shards_processed"] == 4
    assert json.loads(project.read("out-shell/manifest.json"))["version"] == embedded["output"]["version"]


def test_a_server_that_dies_takes_its_run_along(project: BakedProject, tmp_path: Path) -> None:
    """The trigger says so within seconds."""
    mark = str(tmp_path)
    command = dev_server.make_dev(project, port := dev_server.free_port())
    (log := tmp_path / "log").touch()
    own: dict[str, Any] = {"PROCESS_MARK": mark, "HOME": mark, "DO_NOT_TRACK": "1"}
    with (
        log.open("w", encoding="utf-8") as stream,
        project.start(
            *command, limit=120, stdout=stream, stderr=stream, OUTPUT_URI="out-dead", **own
        ) as server,
    ):
        wait_until(lambda: "tasks found" in log.read_text(encoding="utf-8"), "the server's tasks", seconds=60)
        address = f"http://127.0.0.1:{port}"
        environment: dict[str, Any] = {"RENDER_LOCAL_DEV_URL": address, "NO_PROXY": "127.0.0.1"}
        with project.start("python", "-u", "trigger.py", **environment) as process:
            assert process.stderr
            [run] = re.findall(r"^started (trn-\w+)$", process.stderr.readline().strip())
            server.send_signal(signal.SIGKILL)
            ended = time.monotonic()
            out, err = process.communicate(timeout=50)
            waited = time.monotonic() - ended
        for pid in find_marked(mark):
            os.kill(pid, signal.SIGKILL)

    assert (process.returncode, out) == (1, "")
    lost = f"run {run} is lost: the server keeps runs only in its memory"
    assert err == f"error: the dev server at {address} has ended, and {lost}\n"
    assert waited < 15
