"""Versions of the output: which one readers see, and which shards of one are complete. Needs no Arrow.

    manifest.json                                   names the files of the version that readers see
    v-<hash>/profiles/part-00003-of-00010.parquet   the profiles of one shard
    v-<hash>/rejects/rejects-00000-of-00010.jsonl   rows with a blank key, if there are any
    v-<hash>/results/shard-00003-of-00010.json      the result of one shard, for a later run of other shards

Whatever can change a row changes the version's name, so files that do not belong together are never in one
directory, and writing a file again writes the same bytes.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from . import log, storage
from .errors import RunError

MANIFEST = "manifest.json"
KEEP_SECONDS = 24 * 60 * 60  # for versions that are not published; no run on Render lasts longer

# A change in these modules changes no row. All others are part of the version, those of sub-packages too.
MACHINERY = ("cli/", "engine/", "log.py", "main.py", "orchestrator.py", "worker.py")
LIBRARIES = ("numpy", "pandas", "pyarrow")


@dataclass(frozen=True)
class OutputVersion:
    """One version of the output and its files.

    Attributes:
        output_uri: directory of the output.
        source_data_hash: SHA-256 over all sources, in hexadecimal.
        shard_count: number of shards.
    """

    output_uri: str
    source_data_hash: str
    shard_count: int

    @cached_property
    def name(self) -> str:
        """`v-` and a hash of the sources, the number of shards, the code and the data libraries' versions."""
        libraries = " ".join(map(installed_version, LIBRARIES))
        digest = hashlib.sha256(f"{self.source_data_hash} {self.shard_count} {libraries}".encode())
        package = Path(__file__).parent
        for module in sorted(package.rglob("*.py")):
            if not (name := module.relative_to(package).as_posix()).startswith(MACHINERY):
                digest.update(name.encode() + module.read_bytes())
        return f"v-{digest.hexdigest()[:16]}"

    def path(self, directory: str, prefix: str, shard_id: int, suffix: str) -> str:
        """Return the path of a shard's file below `output_uri`."""
        return f"{self.name}/{directory}/{prefix}-{shard_id:05d}-of-{self.shard_count:05d}.{suffix}"

    def save_result(self, result: dict[str, Any]) -> None:
        """Keep a shard's result, so that a later run of the missing shards can publish the version."""
        storage.write_json(self.output_uri, self.path("results", "shard", result["shard_id"], "json"), result)
        os.utime(Path(self.output_uri, self.name))  # in use: a run of other data must not remove it as old

    def saved_result(self, shard_id: int) -> dict[str, Any] | None:
        """Return the result that an earlier run saved for a shard; None if it or one of its files is missing."""
        result = storage.read_json(self.output_uri, self.path("results", "shard", shard_id, "json"))
        if result and all(Path(self.output_uri, file["path"]).is_file() for file in result["files"]):
            return result
        return None


def publish(version: OutputVersion, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Make a version the one that readers see, if all of its shards are complete.

    Besides the shards of this run, in `results`, those count that an earlier run has completed.

    Returns:
        The summary's `output`.

    Raises:
        RunError: the shards do not belong together: other code or libraries, other types of a column, or counts
            that do not add up.
    """
    if others := {result["version"] for result in results} - {version.name}:
        raise RunError(f"the workers wrote version {others.pop()}, not {version.name}: their code differs")
    earlier = map(version.saved_result, set(range(version.shard_count)) - {r["shard_id"] for r in results})
    complete = {result["shard_id"]: result for result in [*filter(None, earlier), *results]}
    files = [file for shard_id in sorted(complete) for file in complete[shard_id]["files"]]
    is_whole = len(complete) == version.shard_count
    columns = _check_shards(complete, is_whole)
    if is_whole:
        content = {"source_data_hash": version.source_data_hash, "shard_count": version.shard_count}
        rows = sum(result["count"] for result in complete.values())
        manifest = {"version": version.name, **content, "rows": rows, "columns": columns, "files": files}
        previous = storage.read_json(version.output_uri, MANIFEST) or {}
        if manifest != {name: value for name, value in previous.items() if name != "published_at"}:
            manifest["published_at"] = log.timestamp()
            storage.write_json(version.output_uri, MANIFEST, manifest)
        in_use = {version.name, str(previous.get("version"))}
        storage.remove_old(version.output_uri, "v-" + "[0-9a-f]" * 16, KEEP_SECONDS, in_use)
    return {"version": version.name, "manifest": MANIFEST, "files": len(files), "published": is_whole}


def _check_shards(shards: dict[int, dict[str, Any]], is_whole: bool) -> dict[str, str]:
    """Check that the counts add up and that each column has one type; return the columns with their types."""
    first = min(shards)
    columns: dict[str, str] = shards[first]["columns"]
    for shard_id, shard in sorted(shards.items()):
        rows, keys = shard["merged_rows"] + shard["duplicate_records"], shard["count"] + shard["dropped_keys"]
        if (rows, keys) != (shard["records"], shard["keys"]):
            counts = f"{shard['records']} rows and {shard['keys']} keys, but accounts for {rows} and {keys}"
            raise RunError(f"shard {shard_id} has {counts}")
        for name in columns | shard["columns"]:
            here, there = columns.get(name, "missing"), shard["columns"].get(name, "missing")
            if here != there:
                alike = [i for i in sorted(shards) if shards[i]["columns"].get(name, "missing") == there]
                types = f"{here} in shard {first}, but {there} in shard {','.join(map(str, alike))}"
                raise RunError(f"the column {name!r} is {types}; the rules must give it one type")
    taken = sum(shard["records"] + shard["rejected_records"] for shard in shards.values())
    if is_whole and {shard["source_rows"] for shard in shards.values()} != {taken}:
        raise RunError(f"the sources have {shards[first]['source_rows']} rows, but the shards took {taken}")
    return columns
