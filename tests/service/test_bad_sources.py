"""A malformed source stops the run, keeps the previous output, and is named with line and column."""

import json
from pathlib import Path

import pytest

from support.baked import bake

BAD_SOURCES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "support.csv: there is no such file"),
    "empty": (b"", "support.csv: is empty"),
    "no key": (b"email,plan\na,b\n", "support.csv, line 1"),
    "ragged": (b"customer_id,email\na,b\nc\n", "support.csv, line 3, column 2"),
    "encoding": (b"customer_id,email\na,\xe9\n", "support.csv, line 2, column 3"),
    "open quote": (b'customer_id,email\na,"b\nc,d\n', "support.csv, line 2"),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_bad_source_stops_the_run_and_keeps_the_previous_output(tmp_path: Path, case: str) -> None:
    data, message = BAD_SOURCES[case]
    project = bake(tmp_path, {"shard_count": "1", "retry_wait_ms": "0"})
    project.generate(20)
    sources, output = project.path / "sample_data", project.path / "output"
    output.mkdir()
    (output / "manifest.json").write_text(json.dumps({"version": "v-before"}))
    if data is None:
        (sources / "support.csv").unlink()
    else:
        (sources / "support.csv").write_bytes(data)
    done = project.run("python", "trigger.py", "--local", "--json", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((output / "manifest.json").read_text()) == {"version": "v-before"}


def test_source_with_only_a_header_counts_nothing(tmp_path: Path) -> None:
    project = bake(tmp_path, {"shard_count": "2"})
    project.generate(50)
    header = project.read("sample_data/support.csv").splitlines()[0]
    (project.path / "sample_data" / "support.csv").write_text(header)
    summary = project.trigger()
    assert (summary["profiles_generated"], summary["records_processed"]) == (50, 150)
    assert {row["support_email"] for row in project.published()} == {None}
