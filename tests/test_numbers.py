"""The rendered pipeline's numbers against a second implementation of the rules, row by row."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import reference
from baked import BakedProject, bake


def expected(project: BakedProject) -> tuple[dict[str, dict[str, Any]], dict[str, list[dict[str, str]]]]:
    sources = {file.removesuffix(".csv"): project.source_rows(file) for file in project.sources}
    profiles = reference.merge(sources, "customer_id")
    return {key: {**row, **reference.enrich(row)} for key, row in profiles.items()}, sources


def test_every_cell_agrees_with_the_reference(default_project: BakedProject) -> None:
    profiles, _ = expected(default_project)
    default_project.trigger(SHARD_COUNT="4", OUTPUT_URI="out-cells")
    rows = default_project.published("out-cells")
    assert len(rows) == len(profiles) == 300
    for row in rows:
        key, row_hash = row.pop("idempotency_key").rsplit(":", 1)
        assert key == row["customer_id"]
        assert len(row_hash) == 64
        assert row == profiles[key]


def test_summary_agrees_with_the_reference(default_project: BakedProject) -> None:
    profiles, sources = expected(default_project)
    summary = default_project.trigger(SHARD_COUNT="3", OUTPUT_URI="out-summary")
    rows = list(profiles.values())
    assert summary["profiles_generated"] == len(rows)
    assert summary["records_processed"] == sum(map(len, sources.values()))
    assert summary["duplicate_records"] == sum(
        reference.count_duplicates(source, "customer_id") for source in sources.values()
    )
    assert summary["duplicate_records"] > 0
    assert summary["rejected_records"] == 0
    statistics = summary["statistics"]
    average = sum(row["health_score"] for row in rows) / len(rows)
    assert statistics["avg_health_score"] == pytest.approx(average, abs=0.005)
    for statistic, column in [
        ("churn_distribution", "churn_risk"),
        ("expansion_distribution", "expansion_potential"),
    ]:
        assert statistics[statistic] == {"HIGH": 0, "MEDIUM": 0, "LOW": 0, **Counter(r[column] for r in rows)}


@pytest.mark.slow
def test_shard_count_changes_nothing_but_the_shards(default_project: BakedProject) -> None:
    def run(shard_count: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        output = f"out-{shard_count}"
        summary = default_project.trigger(SHARD_COUNT=str(shard_count), OUTPUT_URI=output)
        rows = sorted(default_project.published(output), key=lambda row: str(row["customer_id"]))
        assert [shard["shard_id"] for shard in summary.pop("shards")] == list(range(shard_count))
        assert summary.pop("shards_processed") == shard_count
        assert summary.pop("output")["published"]
        return summary, rows

    first = run(1)
    for shard_count in (7, 10, 64):
        assert run(shard_count) == first


def test_second_run_writes_the_same_bytes(default_project: BakedProject) -> None:
    def files() -> dict[str, bytes]:
        output = default_project.path / "out-twice"
        return {
            path.relative_to(output).as_posix(): path.read_bytes()
            for path in output.rglob("*")
            if path.is_file() and "results" not in path.parts  # they hold elapsed times
        }

    default_project.trigger(SHARD_COUNT="2", OUTPUT_URI="out-twice")
    first = files()
    assert len(first) == 3  # two parts and the manifest
    default_project.trigger(SHARD_COUNT="2", OUTPUT_URI="out-twice")
    assert files() == first


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
