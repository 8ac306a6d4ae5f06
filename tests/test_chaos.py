"""The chaos drill passes where a run recovers, and fails where it does not; without retries there is none."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baked import BakedProject, bake

ANSWERS = {"retry_wait_ms": "50", "shard_count": "4"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    return bake(tmp_path_factory.mktemp("chaos"), ANSWERS)


def drill(project: BakedProject, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return project.run("python", "scripts/chaos_drill.py", *options, check=False, **environment)


def row(report: str, name: str) -> list[str]:
    """The cells of one line of the drill's table."""
    (line,) = [line for line in report.splitlines() if line.startswith(name)]
    return re.split(r"\s{2,}", line.removeprefix(name).strip())


def edit(project: BakedProject, path: str, old: str, new: str) -> None:
    text = project.read(path)
    assert text.count(old) == 1
    (project.path / path).write_text(text.replace(old, new), encoding="utf-8")


def assert_recovered(done: subprocess.CompletedProcess[str], shard: int = 3, shards: int = 4) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "PASSED"
    assert row(done.stdout, "keys published") == ["1000", "1000"]
    assert row(done.stdout, "attempts of all shards") == [str(shards), str(shards + 1)]
    assert row(done.stdout, f"attempts of shard {shard}") == ["1", "2"]
    assert row(done.stdout, "files with the same bytes") == [str(shards + 1)] * 2
    (recovery,) = row(done.stdout, "from the failure to the second start")
    assert int(recovery.removesuffix(" ms")) >= 50
    assert done.stderr == ""


@pytest.mark.parametrize("mode", ["raise", "kill", pytest.param("hang", marks=pytest.mark.slow)])
def test_the_drill_passes(project: BakedProject, mode: str) -> None:
    before = project.files()

    assert_recovered(drill(project, "--mode", mode))

    assert project.files() == before


def test_the_drill_takes_another_shard_and_the_team_s_own_data(project: BakedProject, tmp_path: Path) -> None:
    script = ["scripts/generate_data.py", "--rows", "90", "--duplicates", "0.3", "--out", str(tmp_path)]
    project.run("python", *script)

    done = drill(project, "--shard", "0", SHARD_COUNT="2", DATA_URI=str(tmp_path), CHAOS_FAIL_SHARD="1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert row(done.stdout, "keys published") == ["90", "90"]
    assert row(done.stdout, "attempts of shard 0") == ["1", "2"]


def test_the_drill_breaks_the_last_shard_where_there_is_no_third(project: BakedProject) -> None:
    assert_recovered(drill(project, SHARD_COUNT="1"), shard=0, shards=1)


@pytest.mark.parametrize(
    ("options", "environment", "text"),
    [
        (
            ["--shard", "3"],
            {"SHARD_COUNT": "2"},
            "there is no shard 3: SHARD_COUNT is 2, so the last one is 1",
        ),
        (["--shard", "-1"], {}, "there is no shard -1"),
        ([], {"DATA_URI": "nowhere"}, "the clean run failed: crm.csv: there is no such file in DATA_URI"),
        (["--dev-server"], {"PATH": str(Path(sys.executable).parent)}, "--dev-server needs Render's CLI"),
    ],
)
def test_a_drill_that_cannot_be_says_why(
    project: BakedProject, options: list[str], environment: dict[str, str], text: str
) -> None:
    done = drill(project, *options, **environment)

    assert done.returncode == 1
    assert text in done.stdout
    assert done.stdout.splitlines()[-1] == "FAILED"
    assert "Traceback" not in done.stderr


def test_hanging_is_refused_on_the_dev_server(project: BakedProject) -> None:
    done = drill(project, "--mode", "hang", "--dev-server")

    assert done.returncode == 2
    assert "knows no timeouts" in done.stderr


def test_the_drill_fails_without_a_retry(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project(**ANSWERS)
    edit(project, f"src/{project.package}/settings.py", "MAX_RETRIES = 3", "MAX_RETRIES = 0")

    done = drill(project)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAILED"
    assert "did not recover: 1 of 4 shards failed (shard 3: CHAOS_FAIL_SHARD" in done.stdout
    assert "the attempts are not one of each shard" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "    output = _to_arrow(profiles)\n",
            "    import os\n\n    output = _to_arrow(profiles.assign(pid=os.getpid()))\n",
            "5 files are not those of the clean run",
        ),
        (
            "    part.write_result(result)\n",
            '    if part.read_result():\n        result["count"] += 1\n    part.write_result(result)\n',
            "1 files are not those of the clean run, manifest.json among them",
        ),
        (
            "    output = _to_arrow(profiles)\n",
            "    import os\n\n    again = shard_id == 3 and os.path.exists(settings.output_uri + '/.chaos-shard-3')\n"
            "    output = _to_arrow(profiles[1:] if again else profiles)\n",
            "the run with the failure lost 1 and published 0 twice",
        ),
    ],
    ids=["other bytes", "counts twice", "loses a row"],
)
def test_the_drill_fails_where_a_second_attempt_does_something_else(
    bake_project: Callable[..., BakedProject], old: str, new: str, fault: str
) -> None:
    project = bake_project(**ANSWERS)
    edit(project, f"src/{project.package}/pipeline.py", old, new)

    done = drill(project)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAILED"
    assert fault in done.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [("CHAOS_FAIL_SHARD", "4"), ("CHAOS_MODE", "melt")],
)
def test_a_wrong_variable_is_one_line(
    project: BakedProject, tmp_path: Path, variable: str, value: str
) -> None:
    project.run("python", "scripts/generate_data.py", "--rows", "9", "--out", str(tmp_path / "data"))
    environment = {
        "CHAOS_FAIL_SHARD": "3",
        "DATA_URI": str(tmp_path / "data"),
        "OUTPUT_URI": str(tmp_path / "out"),
    }

    done = project.run("python", "trigger.py", "--local", check=False, **(environment | {variable: value}))

    assert done.returncode == 1
    assert re.search(rf"^error: .*{variable} must be .*, not '{value}'", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("render") is None, reason="the Render CLI is not on PATH")
@pytest.mark.parametrize("mode", ["raise", "kill"])
def test_the_drill_passes_on_the_dev_server(project: BakedProject, mode: str) -> None:
    (project.path / ".env").write_text("OUTPUT_URI=elsewhere\nSHARD_COUNT=2\n", encoding="utf-8")
    try:
        assert_recovered(drill(project, "--dev-server", "--mode", mode))
    finally:
        (project.path / ".env").unlink()


def test_without_retries_there_is_no_trace_of_a_drill(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project(max_retries="0")

    for path in project.files():
        assert "chaos" not in path.lower()
        assert "chaos" not in project.read(path).lower(), path
    assert "chaos" in bake_project(project_slug="with-retries").read("Makefile")
