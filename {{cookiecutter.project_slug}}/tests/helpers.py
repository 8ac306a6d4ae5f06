"""What several test modules need: sources on disk, a run in this process, the output as rows."""

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
    """A `TaskContext` that runs each task once, in this process, its arguments and result passed as JSON."""

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
    """Run the orchestrator's task."""
    task: Callable[..., Any] = MERGE.func
    summary: dict[str, Any] = asyncio.run(task(context or FakeContext(), shards))
    return summary


def run_shard_task(shard_id: int) -> dict[str, Any]:
    """Run the worker's task."""
    result = worker.process_shard.func(FakeContext(), shard_id)
    assert isinstance(result, dict)
    return result


def sample_rows(file: str, numbers: Iterable[int]) -> list[Row]:
    """Rows of one source, as scripts/generate_data.py makes them, for the sample's keys with these numbers."""
    listed = list(numbers)
    rng = np.random.default_rng(0)
    cells = {name: make(rng, np.array(listed)) for name, make in COLUMNS[file].items()}
    rows = zip(*cells.values(), strict=True)
    return [
        dict(zip(cells, map(str, row), strict=True)) | {KEY_COLUMN: key(number)}
        for number, row in zip(listed, rows, strict=True)
    ]


def write_source(directory: Path, file: str, rows: Sequence[Row]) -> None:
    """Write one source; the first row says which columns it has."""
    with (directory / file).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_sources(directory: Path, numbers: Sequence[int] = range(40)) -> None:
    """Write all sources, with one row for each key."""
    for file in SOURCE_FILES:
        write_source(directory, file, sample_rows(file, numbers))


def write_untidy_sources(directory: Path) -> None:
    """Write all sources as untidy as real ones: each lacks a key, has one key three times and one that is blank."""
    for position, file in enumerate(SOURCE_FILES):
        numbers = [number for number in range(31) if number != position % 30]
        blank = {**sample_rows(file, [0])[0], KEY_COLUMN: " "}
        write_source(directory, file, [*sample_rows(file, numbers), blank, *sample_rows(file, [30, 30])])


def published_rows(output: Path) -> list[dict[str, Any]]:
    """The profiles of all parts that the manifest names, sorted by key; the parts must have one schema."""
    files = [output / file["path"] for file in read_manifest(output)["files"]]
    tables = [pq.read_table(path) for path in files if path.suffix == ".parquet"]
    return sorted(pa.concat_tables(tables).to_pylist(), key=itemgetter(KEY_COLUMN))


def read_manifest(output: Path) -> dict[str, Any]:
    """What readers of the output see first."""
    manifest: dict[str, Any] = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def files_in(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, hidden ones too, with its bytes."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def run_python(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own and wait for its end."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=dict(os.environ),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
