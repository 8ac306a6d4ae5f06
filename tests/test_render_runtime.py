"""The rendered service under Render's protocol: its real start command, a process for each attempt."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from baked import BakedProject, bake, project_environment
from render_runtime import Attempt, Faults, RenderRuntime, Run, comparable, published_bytes

ROOT = "merge_customer_data"
SHARD = "process_shard"
API_KEY = "rnd_0123456789abcdef"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A project of three shards with 200 customers in sources that are not all alike."""
    project = bake(tmp_path_factory.mktemp("runtime"), {"shard_count": "3"})
    project.generate(200, "--missing", "0.1", "--duplicates", "0.05")
    return project


@pytest.fixture(scope="module")
def embedded(project: BakedProject) -> dict[str, Any]:
    """The summary of the embedded engine's run, which every other run must give too."""
    return comparable(project.trigger(OUTPUT_URI="out-embedded"))


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    return Faults(tmp_path / "faults")


@pytest.fixture(scope="module")
def whole(
    project: BakedProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, RenderRuntime, Faults]]:
    """A run of all shards in which nothing fails."""
    faults = Faults(tmp_path_factory.mktemp("whole") / "faults")
    with runtime(project, "out-whole", faults) as render:
        yield render.run(ROOT), render, faults


def runtime(
    project: BakedProject, output: str, faults: Faults | None = None, **options: Any
) -> RenderRuntime:
    environment = {"OUTPUT_URI": output, "RENDER_API_KEY": API_KEY, **(faults.environment if faults else {})}
    return RenderRuntime(project, environment, **options)


def shard_runs(render: RenderRuntime) -> dict[int, Run]:
    """The runs of single shards by the shard's number."""
    return {json.loads(run.arguments)[0]: run for run in render.runs if run.task_name == SHARD}


def attempts(render: RenderRuntime) -> list[Attempt]:
    return [attempt for run in render.runs for attempt in run.attempts]


@pytest.mark.parametrize(
    ("answers", "root", "retry"),
    [
        ({}, ROOT, {"max_retries": 3, "wait_duration_ms": 2000, "factor": 1.5}),
        (
            {"max_retries": "0", "key_column": "order_id", "render_package": "render"},
            "merge_order_data",
            {"max_retries": 0, "wait_duration_ms": 2000, "factor": 1.5},
        ),
    ],
    ids=["defaults", "no-retry"],
)
def test_registers_its_two_tasks(
    bake_project: Callable[..., BakedProject], answers: dict[str, str], root: str, retry: dict[str, float]
) -> None:
    with RenderRuntime(bake_project(**answers)) as render:
        tasks = render.register()
    no_retry = {"max_retries": 0, "wait_duration_ms": 0, "factor": 1.5}
    assert {name: task["options"] for name, task in tasks.items()} == {
        SHARD: {"retry": retry, "timeout_seconds": 3600},
        root: {"retry": no_retry, "timeout_seconds": 4 * 3600},
    }
    assert [parameter["name"] for parameter in tasks[SHARD]["parameters"]] == ["shard_id"]
    assert [parameter["has_default"] for parameter in tasks[root]["parameters"]] == [True]


def test_gives_the_same_as_the_embedded_engine(
    project: BakedProject, embedded: dict[str, Any], whole: tuple[Run, RenderRuntime, Faults]
) -> None:
    run, render, _ = whole
    assert comparable(run.result) == embedded
    assert published_bytes(project, "out-whole") == published_bytes(project, "out-embedded")
    assert len(published_bytes(project, "out-whole")) == 4
    assert [run.task_name for run in render.runs] == [ROOT, SHARD, SHARD, SHARD]
    assert all(run.parent is render.runs[0] for run in render.runs[1:])
    assert [(len(run.attempts), run.attempts[0].exit_code) for run in render.runs] == [(1, 0)] * 4


def test_shards_run_in_parallel(whole: tuple[Run, RenderRuntime, Faults]) -> None:
    """All are asked for at once; the stand-in runs two at a time."""
    _, render, _ = whole
    spans = [(attempt.started, attempt.started + attempt.seconds) for attempt in attempts(render)[1:]]
    at_once = [sum(begin <= moment < end for begin, end in spans) for moment, _ in spans]
    assert max(at_once) == 2


def test_logs_one_json_object_per_line(
    project: BakedProject, whole: tuple[Run, RenderRuntime, Faults]
) -> None:
    run, render, _ = whole
    for attempt in attempts(render):
        assert attempt.stdout == ""
        assert len(attempt.events) == len(attempt.stderr.splitlines())
    for shard_id, shard in shard_runs(render).items():
        start, end = shard.attempts[0].events
        assert start == {"event": "shard_start", "shard_id": shard_id, "run_id": run.id}
        summary = run.result["shards"][shard_id]
        assert end == {
            "event": "shard_end",
            "shard_id": shard_id,
            "run_id": run.id,
            "record_count": summary["records"],
            "elapsed_ms": summary["elapsed_ms"],
        }
    assert [event["event"] for event in run.attempts[0].events] == ["run_start", "run_end"]


def test_each_event_is_one_write(project: BakedProject) -> None:
    """Render's dev server makes a log entry of each write: an end alone is an empty entry after each event."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)  # keeps writes apart
    with ours, theirs:
        code = f"from {project.package}.log import event; event('one', shard_id=1); event('two')"
        environment = project_environment()
        command = ["python", "-c", code]
        subprocess.run(
            command, cwd=project.path, env=environment, stderr=theirs.fileno(), check=True, timeout=60
        )
        ours.settimeout(5)
        assert json.loads(ours.recv(4096)) == {"event": "one", "shard_id": 1}
        assert json.loads(ours.recv(4096)) == {"event": "two"}


def test_says_nothing_of_the_host_the_key_or_the_data(
    project: BakedProject, whole: tuple[Run, RenderRuntime, Faults]
) -> None:
    _, render, _ = whole
    said, samples = "", []
    for run in render.runs:
        result = run.result
        samples.append(result.pop("sample_profile"))
        said += run.arguments.decode() + json.dumps(result) + run.attempts[0].stderr
    # The summary's, and the one shard's that it comes from.
    assert [sample["customer_id"] for sample in samples if sample] == ["cust_00000001"] * 2
    assert str(project.path) not in said
    assert str(project.path.parent) not in said
    assert API_KEY not in said
    rows = [row for file in project.sources for row in project.source_rows(file)]
    cells = {
        row[column] for row in rows for column in ("customer_id", "email", "company_name") if column in row
    }
    assert len(cells) > 400
    assert not [cell for cell in cells if cell in said]


def test_each_process_loads_only_what_it_needs(whole: tuple[Run, RenderRuntime, Faults]) -> None:
    run, render, faults = whole
    client = {"httpx", "rich", "attrs"}
    assert not faults.modules(run.attempts[0]) & {"pandas", "pyarrow", "numpy", *client}
    for shard in shard_runs(render).values():
        loaded = faults.modules(shard.attempts[0])
        assert loaded >= {"pandas", "pyarrow"}
        assert not loaded & client


def test_importing_the_service_is_light(project: BakedProject) -> None:
    code = f"""
import json, sys, time
started = time.perf_counter()
import {project.package}.main
json.dump({{"ms": (time.perf_counter() - started) * 1000, "modules": list(sys.modules)}}, sys.stdout)
"""
    imported = json.loads(project.run("python", "-c", code).stdout)
    print(f"import of {project.package}.main: {imported['ms']:.0f} ms")
    heavy = {"pandas", "pyarrow", "numpy", "httpx", "rich", "attrs"}
    assert f"{project.package}.worker" in imported["modules"]
    assert not heavy.intersection(imported["modules"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["error", "kill"])
def test_a_retry_gives_the_same_bytes(
    project: BakedProject, embedded: dict[str, Any], faults: Faults, fault: str
) -> None:
    faults.arm(fault)
    output = f"out-{fault}"
    with runtime(project, output, faults, wait_scale=0.1) as render:
        run = render.run(ROOT)
        assert comparable(run.result) == embedded
    assert not faults.armed(fault)
    assert published_bytes(project, output) == published_bytes(project, "out-embedded")
    shards = shard_runs(render)
    assert {shard_id: len(shard.attempts) for shard_id, shard in shards.items()} == {0: 1, 1: 2, 2: 1}
    assert len(run.attempts) == 1
    failed, repeated = shards[1].attempts
    assert repeated.exit_code == 0
    assert repeated.started - failed.started - failed.seconds > 0.15  # a tenth of 2000 ms, and some slack
    if fault == "kill":
        assert failed.exit_code == -9
        assert failed.callback == {}
    else:
        assert failed.exit_code == 1
        assert failed.callback == {"error": {"details": "shard 1: RuntimeError: no luck"}}
        assert [event["event"] for event in failed.events] == ["shard_start", "shard_failed"]


@pytest.mark.slow
def test_a_shard_that_fails_for_good_fails_the_run(project: BakedProject, faults: Faults) -> None:
    faults.arm("always")
    with runtime(project, "out-failed", faults) as render:
        run = render.run(ROOT)
    assert run.output is None
    assert run.error == ("1 of 3 shards failed (shard 1: RuntimeError: no luck); run these again: --shards 1")
    assert len(run.attempts) == 1
    shards = shard_runs(render)
    assert {shard_id: len(shard.attempts) for shard_id, shard in shards.items()} == {0: 1, 1: 4, 2: 1}
    assert {shard_id for shard_id, shard in shards.items() if shard.output is not None} == {0, 2}
    assert not (project.path / "out-failed" / "manifest.json").exists()
    failures = [event for attempt in attempts(render) for event in attempt.events if "where" in event]
    assert len(failures) == 4
    assert str(project.path.parent) not in json.dumps(failures)


@pytest.mark.slow
def test_rerunning_the_failed_shard_publishes(
    project: BakedProject, embedded: dict[str, Any], faults: Faults
) -> None:
    faults.arm("always")
    with runtime(project, "out-rerun", faults) as render:
        assert render.run(ROOT).error
    with runtime(project, "out-rerun") as render:
        run = render.run(ROOT, [1])
    assert run.result["output"] == embedded["output"]
    assert run.result["shards_processed"] == 1
    assert list(shard_runs(render)) == [1]
    assert published_bytes(project, "out-rerun") == published_bytes(project, "out-embedded")


@pytest.mark.slow
def test_payloads_do_not_grow_with_the_data(
    project: BakedProject, whole: tuple[Run, RenderRuntime, Faults]
) -> None:
    _, small, _ = whole
    data = "data-20k"
    project.generate(20_000, "--missing", "0.1", "--duplicates", "0.05", "--out", data)
    with RenderRuntime(project, {"OUTPUT_URI": "out-20k", "DATA_URI": data}) as large:
        assert large.run(ROOT).result["profiles_generated"] == 20_000

    def sizes(render: RenderRuntime) -> dict[str, int]:
        runs = {run.task_name + run.arguments.decode(): run for run in render.runs}
        return {name: len(run.arguments) + len(run.output or b"") for name, run in runs.items()}

    before, after = sizes(small), sizes(large)
    assert len(before) == 4
    assert after.keys() == before.keys()
    for name, size in after.items():
        assert size < 100_000, name
        assert before[name] / 2 < size < before[name] * 2, name


@pytest.mark.slow
def test_a_failing_worker_ends(bake_project: Callable[..., BakedProject]) -> None:
    """Arrow reads ahead in threads: an earlier version posted its error, then hung at exit or was aborted.

    It did so once in some thirty times, if the source was long: what comes after the bad row matters.
    """
    project = bake_project(shard_count="10", max_retries="0")
    project.generate(10_000)
    source = project.path / "sample_data" / "crm.csv"
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    cells = lines[0].count(",") + 1
    source.write_text("".join([*lines[:2], "ragged,row\n", *lines[2:] * 10]), encoding="utf-8")
    with RenderRuntime(project, deadline=60) as render:
        run = render.run(ROOT)
    fault = f"crm.csv, line 3, column 3: 2 cells, the header has {cells}"
    numbers = ",".join(map(str, range(10)))
    assert run.error == (
        f"10 of 10 shards failed (shard {numbers}: {fault}); run these again: --shards {numbers}"
    )
    workers = [shard.attempts for shard in shard_runs(render).values()]
    assert [len(attempts) for attempts in workers] == [1] * 10
    for (attempt,) in workers:
        assert attempt.exit_code == 1, attempt.stderr
        assert attempt.seconds < 20
    assert not (project.path / "output").exists()
