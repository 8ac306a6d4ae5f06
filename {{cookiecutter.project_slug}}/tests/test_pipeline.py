"""The worker's task: it writes the same bytes each time, returns a small result, and logs its events."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from {{ cookiecutter.package_name }} import pipeline, rules
from {{ cookiecutter.package_name }}.enrichment import enrich
from {{ cookiecutter.package_name }}.errors import OutputError, RunError
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN, SOURCE_FILES
from {{ cookiecutter.package_name }}.sharding import shard_of

from .helpers import files_in, run_shard_task, sample_rows, write_source, write_sources, write_untidy_sources


@pytest.fixture(autouse=True)
def two_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARD_COUNT", "2")
    monkeypatch.setenv("LOG_FORMAT", "json")


def break_pipeline(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make every shard fail with this error."""

    def run_shard(*arguments: object) -> NoReturn:
        raise error

    monkeypatch.setattr(pipeline, "run_shard", run_shard)


def events(stderr: str) -> list[dict[str, Any]]:
    """Return the events of a JSON log, without their times."""
    parsed = [json.loads(line) for line in stderr.splitlines()]
    assert all(datetime.fromisoformat(event.pop("time")).tzinfo is UTC for event in parsed)
    return parsed


def test_a_second_attempt_writes_the_same_bytes_and_returns_the_same_result(data: Path, output: Path) -> None:
    write_untidy_sources(data)

    first, first_files = run_shard_task(0), files_in(output)
    second, second_files = run_shard_task(0), files_in(output)

    assert len(first_files) == 3  # profiles, rejects, result
    assert second_files == first_files
    del first["elapsed_ms"], second["elapsed_ms"]
    assert second == first


def test_the_result_counts_only_the_rows_of_the_shard(data: Path) -> None:
    write_sources(data, range(20))
    mine = [row for row in sample_rows(SOURCE_FILES[0], range(20)) if shard_of(row[KEY_COLUMN], 2) == 1]

    result = run_shard_task(1)

    assert result["shard_id"] == 1
    assert result["count"] == len(mine)
    assert result["records"] == len(mine) * len(SOURCE_FILES)
    assert result["duplicate_records"] == result["rejected_records"] == 0


def test_only_the_shard_of_the_smallest_key_returns_a_sample_profile(data: Path) -> None:
    """Results must not hold any other row, and the sample must not depend on the number of shards."""
    write_sources(data, range(20))
    first = min(row[KEY_COLUMN] for row in sample_rows(SOURCE_FILES[0], range(20)))

    samples = {shard_id: run_shard_task(shard_id)["sample_profile"] for shard_id in (0, 1)}

    assert samples[shard_of(first, 2)][KEY_COLUMN] == first
    assert samples[1 - shard_of(first, 2)] is None


def test_the_sample_is_the_same_in_whatever_order_the_rules_return_the_profiles(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sources(data, range(20))
    samples = [run_shard_task(shard_id)["sample_profile"] for shard_id in (0, 1)]
    monkeypatch.setattr(rules, "enrich", lambda profiles: enrich(profiles)[::-1])

    assert [run_shard_task(shard_id)["sample_profile"] for shard_id in (0, 1)] == samples
    assert sum(sample is not None for sample in samples) == 1


def test_the_result_is_strict_json_that_does_not_grow_with_the_shard(data: Path) -> None:
    write_sources(data, range(20))
    small = json.dumps(run_shard_task(0), allow_nan=False)
    write_sources(data, range(2_000))
    large = json.dumps(run_shard_task(0), allow_nan=False)

    assert len(large) < 2 * len(small)


def test_rejects_keep_the_row_as_written_with_its_source_and_row_number(data: Path, output: Path) -> None:
    write_sources(data)
    rows = [{KEY_COLUMN: "k", "test_note": "a"}, {KEY_COLUMN: " ", "test_note": "b, ü"}]
    full = sample_rows(SOURCE_FILES[0], [1, 2])
    write_source(data, SOURCE_FILES[0], [full[index] | row for index, row in enumerate(rows)])

    result = run_shard_task(shard_of("", 2))

    assert result["rejected_records"] == 1
    (place,) = [file["path"] for file in result["files"] if "rejects" in file["path"]]
    reject = json.loads((output / place).read_text(encoding="utf-8"))
    assert (reject["source"], reject["row"]) == (SOURCE_FILES[0], 2)
    assert reject["record"] == {name: cell or None for name, cell in (full[1] | rows[1]).items()}


def test_parts_without_rows_or_without_values_have_the_same_schema_as_others(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARD_COUNT", "500")
    write_sources(data, [0])
    (row,) = sample_rows(SOURCE_FILES[0], [0])
    bare = dict.fromkeys(row, "") | {KEY_COLUMN: "only a key"}
    write_source(data, SOURCE_FILES[0], [row, bare])
    with_row, with_bare = (shard_of(key, 500) for key in (row[KEY_COLUMN], bare[KEY_COLUMN]))

    results = [run_shard_task(shard_id) for shard_id in (with_row, with_bare, (with_row + 1) % 500)]

    assert [result["count"] for result in results] == [1, 1, 0]
    assert results[2]["sample_profile"] is None
    schemas = [pq.read_schema(output / result["files"][0]["path"]) for result in results]
    assert schemas[0] == schemas[1] == schemas[2]
    assert schemas[0].field(KEY_COLUMN).type == pa.string()


def test_json_events_have_the_shard_the_run_and_the_record_count(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sources(data)

    result = run_shard_task(1)

    start, end = events(capsys.readouterr().err)
    assert start == {"event": "shard_start", "shard_id": 1, "run_id": "root-1"}
    assert end == {
        "event": "shard_end",
        "shard_id": 1,
        "run_id": "root-1",
        "record_count": result["records"],
        "elapsed_ms": result["elapsed_ms"],
    }
    assert isinstance(end["elapsed_ms"], int)


def test_text_events_have_the_same_fields(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "text")
    write_sources(data)

    result = run_shard_task(1)

    count, elapsed = result["records"], result["elapsed_ms"]
    lines = [line.split(" ", 1) for line in capsys.readouterr().err.splitlines()]
    assert all(datetime.fromisoformat(time).tzinfo is UTC for time, _ in lines)
    assert [line for _, line in lines] == [
        "shard_start shard_id=1 run_id=root-1",
        f"shard_end shard_id=1 run_id=root-1 record_count={count} elapsed_ms={elapsed}",
    ]


def test_a_failure_that_a_retry_cannot_heal_is_returned_instead_of_raised(data: Path) -> None:
    """Render retries whatever raises."""
    write_sources(data)
    (data / SOURCE_FILES[-1]).unlink()

    result = run_shard_task(1)

    assert result == {"shard_id": 1, "error": f"{SOURCE_FILES[-1]}: there is no such file in DATA_URI"}


@pytest.mark.parametrize("shard_id", [-1, 2, True, "1", "arg1", 3.5, None, [1], {}])
def test_an_argument_that_is_not_a_shard_is_refused_before_anything_is_written(
    data: Path, output: Path, shard_id: Any
) -> None:
    write_sources(data)

    result = run_shard_task(shard_id)

    assert result["error"] == f"process_shard takes the number of a shard, from 0 to 1, not {shard_id!r}"
    assert not output.exists()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OutputError("disk full"), "disk full"),
        (KeyError("plan"), "KeyError: 'plan'"),
        (MemoryError(), "MemoryError: "),
        (ValueError("two\n  lines"), "ValueError: two lines"),
    ],
)
def test_a_cause_is_one_line_that_names_the_type_of_an_unexpected_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception, cause: str
) -> None:
    break_pipeline(monkeypatch, error)

    with pytest.raises(RunError) as raised:
        run_shard_task(0)

    assert str(raised.value) == f"shard 0: {cause}"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_failed_shard_logs_one_line_with_the_cause_and_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    monkeypatch.setenv("LOG_FORMAT", log_format)
    break_pipeline(monkeypatch, ValueError("two\nlines"))

    with pytest.raises(RunError, match="shard 0"):
        run_shard_task(0)

    start, failure = capsys.readouterr().err.splitlines()
    assert "shard_start" in start
    assert "shard_failed" in failure
    assert "ValueError: two lines" in failure
    assert re.search(r"test_pipeline\.py:\d+ run_shard < worker\.py:\d+ process_shard", failure)
