"""A run: its summary, what it publishes, and errors that name the failed shards and the causes."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from {{ cookiecutter.package_name }} import pipeline
from {{ cookiecutter.package_name }}.errors import OutputError, RunError, SettingError, SourceError
from {{ cookiecutter.package_name }}.orchestrator import aggregate_results
from {{ cookiecutter.package_name }}.settings import SOURCE_FILES, Settings

from .helpers import (
    ROOT,
    FakeContext,
    files_in,
    published_rows,
    read_manifest,
    run_merge,
    run_python,
    run_shard_task,
    write_sources,
    write_untidy_sources,
)


@pytest.fixture(autouse=True)
def three_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARD_COUNT", "3")


def break_shards(monkeypatch: pytest.MonkeyPatch, errors: dict[int, Exception]) -> list[int]:
    """Make shards fail with these errors, by shard.

    Returns:
        A list to which each shard that completes is added.
    """
    completed: list[int] = []
    run_shard = pipeline.run_shard

    def run_shard_or_fail(shard_id: int, settings: Settings) -> dict[str, Any]:
        if shard_id in errors:
            raise errors[shard_id]
        result = run_shard(shard_id, settings)
        completed.append(shard_id)
        return result

    monkeypatch.setattr(pipeline, "run_shard", run_shard_or_fail)
    return completed


@pytest.fixture
def results(data: Path) -> list[dict[str, Any]]:
    """The results of all three shards of untidy sources."""
    write_untidy_sources(data)
    return [run_shard_task(shard_id) for shard_id in range(3)]


def test_the_summary_adds_up_the_shards(results: list[dict[str, Any]]) -> None:
    summary = aggregate_results(results)

    sources = len(SOURCE_FILES)
    assert summary["profiles_generated"] == sum(result["count"] for result in results)
    assert summary["profiles_generated"] == (30 if sources == 1 else 31)
    assert summary["records_processed"] == 32 * sources
    assert summary["duplicate_records"] == 2 * sources
    assert summary["rejected_records"] == sources
    assert summary["shards_processed"] == 3
    assert [shard["shard_id"] for shard in summary["shards"]] == [0, 1, 2]
    assert set(summary["shards"][0]) == {"shard_id", "count", "records", "elapsed_ms"}


def test_the_order_of_results_does_not_matter(results: list[dict[str, Any]]) -> None:
    assert aggregate_results(results[::-1]) == aggregate_results(results)


def test_the_last_of_several_results_of_a_shard_counts(results: list[dict[str, Any]]) -> None:
    stale = {**results[1], "rejected_records": 1_000}

    assert aggregate_results([stale, *results]) == aggregate_results(results)
    assert aggregate_results([*results, stale])["rejected_records"] >= 1_000


@pytest.mark.parametrize("name", ["source_data_hash", "version"])
def test_results_of_different_sources_or_code_are_not_combined(
    results: list[dict[str, Any]], name: str
) -> None:
    results[1][name] = "another"

    with pytest.raises(RunError, match=f"the shards differ in {name}"):
        aggregate_results(results)


@pytest.mark.parametrize("shard_count", [3, 8])
def test_the_number_of_shards_changes_neither_the_summary_nor_the_rows(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch, shard_count: int
) -> None:
    write_untidy_sources(data)
    summaries, rows = [], []
    for count in (1, shard_count):
        monkeypatch.setenv("SHARD_COUNT", str(count))
        summaries.append(run_merge())
        rows.append(published_rows(output))

    assert [summary.pop("shards_processed") for summary in summaries] == [1, shard_count]
    assert [len(summary.pop("shards")) for summary in summaries] == [1, shard_count]
    assert [summary.pop("output")["published"] for summary in summaries] == [True, True]
    assert summaries[0] == summaries[1]
    assert rows[0] == rows[1]
    assert len(rows[0]) == summaries[0]["profiles_generated"]


def test_a_second_run_writes_the_same_bytes(data: Path, output: Path) -> None:
    write_untidy_sources(data)

    run_merge()
    first = files_in(output)
    run_merge()

    assert files_in(output) == first


def test_the_manifest_describes_the_files_on_the_disk(data: Path, output: Path) -> None:
    write_untidy_sources(data)

    summary = run_merge()

    manifest = read_manifest(output)
    assert manifest["version"] == summary["output"]["version"]
    assert manifest["source_data_hash"] == summary["source_data_hash"]
    assert manifest["shard_count"] == 3
    assert len(manifest["files"]) == summary["output"]["files"] == 4  # three parts and one file of rejects
    profiles = rejects = 0
    for file in manifest["files"]:
        content = (output / file["path"]).read_bytes()
        assert file["bytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        if "/rejects/" in file["path"]:
            assert file["rows"] == len(content.splitlines())
            rejects += file["rows"]
        else:
            assert file["rows"] == pq.read_metadata(output / file["path"]).num_rows
            profiles += file["rows"]
    assert profiles == manifest["rows"] == summary["profiles_generated"]
    assert rejects == summary["rejected_records"]


def test_a_failed_shard_does_not_stop_the_others(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sources(data)
    completed = break_shards(monkeypatch, {0: OutputError("disk full")})

    with pytest.raises(RunError) as error:
        run_merge()

    assert completed == [1, 2]
    assert str(error.value) == "1 of 3 shards failed (shard 0: disk full); run these again: --shards 0"


def test_the_error_names_every_failed_shard_and_each_cause_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARD_COUNT", "4")
    write_sources(data)
    break_shards(monkeypatch, {0: OutputError("full"), 1: KeyError("plan"), 3: OutputError("full")})

    with pytest.raises(RunError) as error:
        run_merge()

    causes = "shard 0,3: full; shard 1: KeyError: 'plan'"
    assert str(error.value) == f"3 of 4 shards failed ({causes}); run these again: --shards 0,1,3"


def test_a_failed_run_publishes_nothing(data: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sources(data, range(20))
    break_shards(monkeypatch, {2: OutputError("disk full")})

    with pytest.raises(RunError, match="shard 2"):
        run_merge()

    assert not (output / "manifest.json").exists()


def test_a_failed_run_leaves_the_published_output_unchanged(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sources(data, range(20))
    run_merge()
    before = files_in(output)
    write_sources(data, range(30))
    break_shards(monkeypatch, {2: OutputError("disk full")})

    with pytest.raises(RunError, match="shard 2"):
        run_merge()

    after = files_in(output)
    assert {name: after[name] for name in before} == before
    assert len(published_rows(output)) == 20


def test_only_the_given_shards_run_and_nothing_is_published(data: Path, output: Path) -> None:
    write_sources(data)
    context = FakeContext()

    summary = run_merge(context, [2, 0, 2])

    assert context.calls == [(0,), (2,)]
    assert summary["shards_processed"] == 2
    assert summary["output"]["published"] is False
    assert not (output / "manifest.json").exists()


def test_a_rerun_of_the_failed_shards_publishes_the_version(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sources(data)
    with monkeypatch.context() as broken:
        break_shards(broken, {1: OutputError("disk full")})
        with pytest.raises(RunError, match="--shards 1"):
            run_merge()
    context = FakeContext()

    summary = run_merge(context, [1])

    assert context.calls == [(1,)]
    assert summary["output"]["published"] is True
    assert len(published_rows(output)) == 40


def test_shards_of_other_sources_do_not_complete_the_version(data: Path, output: Path) -> None:
    write_sources(data, range(20))
    run_merge(shards=[0, 1])
    write_sources(data, range(21))

    summary = run_merge(shards=[2])

    assert summary["output"]["published"] is False
    assert not (output / "manifest.json").exists()


@pytest.mark.parametrize("shard_id", [3, -1])
def test_an_unknown_shard_is_refused_before_any_runs(data: Path, shard_id: int) -> None:
    write_sources(data)
    context = FakeContext()

    with pytest.raises(SettingError) as error:
        run_merge(context, [0, shard_id])

    assert str(error.value) == f"there is no shard {shard_id}; the shards are 0 to 2"
    assert context.calls == []


@pytest.mark.parametrize("file", SOURCE_FILES)
def test_a_missing_source_is_refused_before_any_shard_runs(data: Path, file: str) -> None:
    write_sources(data)
    (data / file).unlink()
    context = FakeContext()

    with pytest.raises(SourceError) as error:
        run_merge(context)

    assert str(error.value) == f"{file}: there is no such file in DATA_URI"
    assert context.calls == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SHARD_COUNT", "0"),
        ("SHARD_COUNT", "501"),
        ("SHARD_COUNT", "-1"),
        ("SHARD_COUNT", "2.5"),
        ("SHARD_COUNT", "ten"),
        ("SHARD_COUNT", "1\u0663"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FORMAT", "JSON"),
        ("DATA_URI", "s3://bucket/data"),
        ("OUTPUT_URI", "gs://bucket/output"),
    ],
)
def test_an_invalid_setting_is_refused_with_the_name_of_its_variable(
    data: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    write_sources(data)
    monkeypatch.setenv(variable, value)
    context = FakeContext()

    with pytest.raises(SettingError) as error:
        run_merge(context)

    assert str(error.value).startswith(f"{variable} must be ")
    assert repr(value) in str(error.value)
    assert context.calls == []


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    for variable in ("DATA_URI", "OUTPUT_URI", "SHARD_COUNT", "LOG_FORMAT"):
        monkeypatch.setenv(variable, empty)

    assert Settings.from_env() == Settings()


@pytest.mark.parametrize(("variable", "durable"), [("RENDER", False), ("ANOTHER", True)])
def test_output_on_the_disk_of_a_run_on_render_is_reported_as_not_durable(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    durable: bool,
) -> None:
    monkeypatch.setenv(variable, "true")
    write_sources(data)

    assert run_merge()["output"]["durable"] is durable

    assert ("output_not_durable" in capsys.readouterr().err) is not durable


def test_the_run_logs_its_start_and_its_end(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    write_sources(data)

    summary = run_merge()

    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert events[0] == {"event": "run_start", "run_id": "root-1", "shard_count": 3}
    assert events[-1] == {
        "event": "run_end",
        "run_id": "root-1",
        "record_count": summary["records_processed"],
    }
    assert [event["event"] for event in events[1:-1]] == ["shard_start", "shard_end"] * 3


def test_a_local_run_publishes_the_same_files_as_the_tasks(data: Path, output: Path) -> None:
    """The only test with real processes: one for the trigger and the engine, and one for each shard."""
    write_untidy_sources(data)

    process = run_python(ROOT / "trigger.py", "--local")

    assert process.returncode == 0, process.stderr
    last = process.stdout.splitlines()[-1]
    assert re.fullmatch(r"Merged \d+ enriched profiles across 3 shards in \d+\.\ds", last)
    published = files_in(output)
    run_merge()
    assert {name: files_in(output)[name] for name in published} == published
