"""Helpers of the tests: write sources, run the tasks in this process, and read the output."""

import asyncio
import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from {{ cookiecutter.render_package }} import TaskRunMetadata
from {{ cookiecutter.render_package }}.client.errors import TaskRunError
from {{ cookiecutter.render_package }}.workflows import TaskDefinition
from sample_columns import COLUMNS, key

from {{ cookiecutter.package_name }} import orchestrator, worker
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN, SOURCE_FILES

P = ParamSpec("P")
R = TypeVar("R")
Row = dict[str, str]

ROOT = Path(__file__).parents[1]
MERGE = orchestrator.merge_{{ cookiecutter.__entity }}_data


class FakeContext:
    """A `TaskContext` that runs each task once, in this process.

    Arguments and results pass through JSON, as they do on Render.

    Attributes:
        metadata: ids of the run, the same for every task.
        calls: arguments of each task that was run, in the order of the calls.
    """

    def __init__(self) -> None:
        self.metadata = TaskRunMetadata(task_run_id="run-1", root_task_run_id="root-1")
        self.calls: list[tuple[Any, ...]] = []

    async def run(self, task: TaskDefinition[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        assert not kwargs
        self.calls.append(args)
        function: Callable[..., Any] = task.func
        try:
            result = function(self, *json.loads(json.dumps(args)))
        except Exception as error:
            raise TaskRunError(f"Subtask failed: {error}") from None
        decoded: R = json.loads(json.dumps(result, allow_nan=False))
        return decoded


def run_merge(context: FakeContext | None = None, shards: list[int] | None = None) -> dict[str, Any]:
    """Run the orchestrator's task and return the run's summary.

    Args:
        context: runs the shards; a new `FakeContext` by default.
        shards: the shards to run; all of them by default.
    """
    task: Callable[..., Any] = MERGE.func
    summary: dict[str, Any] = asyncio.run(task(context or FakeContext(), shards))
    return summary


def run_shard_task(shard_id: int) -> dict[str, Any]:
    """Run the worker's task and return its result."""
    result = worker.process_shard.func(FakeContext(), shard_id)
    assert isinstance(result, dict)
    return result


def sample_rows(file: str, numbers: Iterable[int]) -> list[Row]:
    """Return sample rows of a source, one per key number, with the columns of `scripts/sample_columns.py`."""
    listed = list(numbers)
    rng = np.random.default_rng(0)
    cells = {name: make(rng, np.array(listed)) for name, make in COLUMNS[file].items()}
    rows = zip(*cells.values(), strict=True)
    return [
        dict(zip(cells, map(str, row), strict=True)) | {KEY_COLUMN: key(number)}
        for number, row in zip(listed, rows, strict=True)
    ]


def write_source(directory: Path, file: str, rows: Sequence[Row]) -> None:
    """Write one source, whose header has the columns of the first row."""
    with (directory / file).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_sources(directory: Path, numbers: Sequence[int] = range(40)) -> None:
    """Write all sources, each with one row per key number."""
    for file in SOURCE_FILES:
        write_source(directory, file, sample_rows(file, numbers))


def write_untidy_sources(directory: Path) -> None:
    """Write sources that are as untidy as real ones.

    Each of them lacks one key, has three rows with another key, and has one row with a blank key.
    """
    for position, file in enumerate(SOURCE_FILES):
        numbers = [number for number in range(31) if number != position % 30]
        blank = {**sample_rows(file, [0])[0], KEY_COLUMN: " "}
        write_source(directory, file, [*sample_rows(file, numbers), blank, *sample_rows(file, [30, 30])])


def published_rows(output: Path) -> list[dict[str, Any]]:
    """Return the profiles of all parts that the manifest names, sorted by key; fail if the schemas differ."""
    files = [output / file["path"] for file in read_manifest(output)["files"]]
    tables = [pq.read_table(path) for path in files if path.suffix == ".parquet"]
    return sorted(pa.concat_tables(tables).to_pylist(), key=itemgetter(KEY_COLUMN))


def read_manifest(output: Path) -> dict[str, Any]:
    """Return the manifest, which names the published version and its files."""
    manifest: dict[str, Any] = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def files_in(directory: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a directory, hidden ones included, by relative path."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def run_python(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a separate process, wait until it ends, and return its exit code and output."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=dict(os.environ),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
