"""The chaos drill passes if the run recovers from the failure, and says why if it cannot run."""

import re
import sys
from pathlib import Path

import pytest

from support import chaos
from support.baked import BakedProject


@pytest.mark.parametrize(
    "mode", ["raise", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("kill", "hang"))]
)
def test_the_drill_passes(chaos_project: BakedProject, mode: str) -> None:
    before = chaos_project.files()

    chaos.assert_recovered(chaos.run_drill(chaos_project, "--mode", mode))

    assert chaos_project.files() == before


def test_the_drill_uses_the_given_shard_and_sources(chaos_project: BakedProject, tmp_path: Path) -> None:
    script = ["scripts/generate_data.py", "--rows", "90", "--duplicates", "0.3", "--out", str(tmp_path)]
    chaos_project.run("python", *script)

    done = chaos.run_drill(
        chaos_project, "--shard", "0", SHARD_COUNT="2", DATA_URI=str(tmp_path), CHAOS_FAIL_SHARD="1"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert chaos.table_row(done.stdout, "keys published") == ["90", "90"]
    assert chaos.table_row(done.stdout, "attempts of shard 0") == ["1", "2"]


def test_the_drill_breaks_the_last_shard_if_there_is_no_shard_3(chaos_project: BakedProject) -> None:
    chaos.assert_recovered(chaos.run_drill(chaos_project, SHARD_COUNT="1"), shard=0, shards=1)


@pytest.mark.parametrize(
    ("options", "environment", "text"),
    [
        (
            ["--shard", "3"],
            {"SHARD_COUNT": "2"},
            "there is no shard 3; the shards are 0 to 1",
        ),
        (["--shard", "-1"], {}, "there is no shard -1"),
        ([], {"DATA_URI": "nowhere"}, "the clean run failed: crm.csv: there is no such file in DATA_URI"),
        (["--dev-server"], {"PATH": str(Path(sys.executable).parent)}, "--dev-server needs Render's CLI"),
    ],
)
def test_a_drill_that_cannot_run_says_why(
    chaos_project: BakedProject, options: list[str], environment: dict[str, str], text: str
) -> None:
    done = chaos.run_drill(chaos_project, *options, **environment)

    assert done.returncode == 1
    assert text in done.stdout
    assert done.stdout.splitlines()[-1] == "FAILED"
    assert "Traceback" not in done.stderr


def test_hanging_is_refused_on_the_dev_server(chaos_project: BakedProject) -> None:
    done = chaos.run_drill(chaos_project, "--mode", "hang", "--dev-server")

    assert done.returncode == 2
    assert "does not enforce timeouts" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("CHAOS_FAIL_SHARD", "4"), ("CHAOS_MODE", "melt")],
)
def test_an_invalid_variable_is_reported_in_one_line(
    chaos_project: BakedProject, tmp_path: Path, variable: str, value: str
) -> None:
    chaos_project.run("python", "scripts/generate_data.py", "--rows", "9", "--out", str(tmp_path / "data"))
    environment = {
        "CHAOS_FAIL_SHARD": "3",
        "DATA_URI": str(tmp_path / "data"),
        "OUTPUT_URI": str(tmp_path / "out"),
    }

    done = chaos_project.run(
        "python", "trigger.py", "--local", check=False, **(environment | {variable: value})
    )

    assert done.returncode == 1
    assert re.search(rf"^error: .*{variable} must be .*, not '{value}'", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr
