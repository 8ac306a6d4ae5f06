"""Write a shard's part of the output, and publish the whole: readers see the old output or the new one.

    manifest.json                                   written last; names the files of one version
    v-<hash>/profiles/part-00003-of-00010.parquet   a shard's profiles
    v-<hash>/rejects/rejects-00000-of-00010.jsonl   rows with a blank key, if there are any
    v-<hash>/results/shard-00003-of-00010.json      a shard's summary, for runs of single shards

A version stands for the sources' bytes, the number of shards and this package's code: parts that do not
belong together are never in one directory, and writing a part again writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .settings import InputError

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
ROW_NUMBER = ""  # the column that numbers rejects: no column of a source can have this name
KEEP_SECONDS = 24 * 60 * 60  # for versions that are not published: no run on Render lasts longer


@dataclass(frozen=True)
class Part:
    """One shard's files in one version of the output."""

    output_uri: str
    source_data_hash: str
    shard_id: int
    shard_count: int

    @cached_property
    def version(self) -> str:
        """The directory of all parts that belong together."""
        identity = hashlib.sha256(f"{self.source_data_hash} {self.shard_count}".encode())
        for module in sorted(Path(__file__).parent.glob("*.py")):
            identity.update(module.read_bytes())
        return f"v-{identity.hexdigest()[:16]}"

    def write_profiles(self, profiles: pa.Table) -> list[dict[str, Any]]:
        """Write the shard's Parquet file and describe it for the manifest."""
        import pyarrow.parquet as pq  # late: the orchestrator needs none of it

        path = self._path("profiles", "part", "parquet")
        with _replacing(path) as temporary:
            pq.write_table(profiles, temporary, compression="zstd")
        return [self._describe(path, len(profiles))]

    def write_rejects(self, rejects: dict[str, pa.Table]) -> list[dict[str, Any]]:
        """Write the rows that were set aside, if any, as JSON lines with their source and their number."""
        count = sum(len(table) for table in rejects.values())
        if not count:
            return []
        path = self._path("rejects", "rejects", "jsonl")
        with _replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as lines:
            for source, table in rejects.items():
                for record in (row for batch in table.to_batches() for row in batch.to_pylist()):
                    line = {"source": source, "row": record.pop(ROW_NUMBER), "record": record}
                    lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        return [self._describe(path, count)]

    def write_result(self, result: dict[str, Any]) -> None:
        """Keep the shard's summary, so that a run of other shards can publish the whole."""
        _write_json(self._path("results", "shard", "json"), result)
        os.utime(Path(self.output_uri, self.version))  # in use: a run of other data must not remove it

    def read_result(self) -> dict[str, Any] | None:
        """The summary that an earlier run has left for this version, if it and the shard's files are there."""
        result = _read_json(self._path("results", "shard", "json"))
        if result and all(Path(self.output_uri, file["path"]).is_file() for file in result["files"]):
            return result
        return None

    def _path(self, directory: str, name: str, suffix: str) -> Path:
        file = f"{name}-{self.shard_id:05d}-of-{self.shard_count:05d}.{suffix}"
        return Path(self.output_uri, self.version, directory, file)

    def _describe(self, path: Path, rows: int) -> dict[str, Any]:
        data = path.read_bytes()
        place = path.relative_to(self.output_uri).as_posix()
        return {"path": place, "rows": rows, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def publish(output_uri: str, version: str, manifest: dict[str, Any]) -> None:
    """Make a version the one that readers see, then remove versions that nobody can be using."""
    output = Path(output_uri)
    previous = _read_json(output / MANIFEST) or {}
    _write_json(output / MANIFEST, {"version": version, **manifest})
    for leftover in (output / version).glob("*/.*"):  # of attempts that were killed
        leftover.unlink(missing_ok=True)
    for directory in output.glob("v-" + "[0-9a-f]" * 16):
        with suppress(OSError):  # another run may be removing it
            old = time.time() - directory.stat().st_mtime > KEEP_SECONDS
            if old and directory.name not in (version, previous.get("version")):
                shutil.rmtree(directory)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `path` when the body is done, and goes when it fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"OUTPUT_URI: cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write_json(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _read_json(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return value
    return None
