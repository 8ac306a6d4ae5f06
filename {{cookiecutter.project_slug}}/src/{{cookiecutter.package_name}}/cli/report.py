"""What the trigger prints about a completed run."""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..manifest import MANIFEST
from ..settings import KEY_COLUMN, SOURCE_FILES, source_name
from ..storage import read_json

PREVIEW_ROWS, PREVIEW_COLUMNS = 3, 8


def print_summary(summary: dict[str, Any], seconds: float, output_uri: str | None) -> None:
    """Print a run's summary for a person, on stdout.

    Args:
        summary: what the orchestrator returned.
        seconds: how long the run took.
        output_uri: directory of the output; None if the run used a server's, which the summary does not tell.
    """
    if output_uri is not None and summary["output"]["published"] and sys.stdout.isatty():
        _print_rows(output_uri)
    for name, value in summary["statistics"].items():
        print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    duplicates, rejected = summary["duplicate_records"], summary["rejected_records"]
    replaced = f"duplicates: {duplicates} (records replaced by a later one)"
    print(f"records: {summary['records_processed']} (rows with a key, from all sources)")
    print(f"{replaced}, rejected: {rejected} (rows with a blank key)")
    if dropped := summary.get("dropped_keys"):  # a deployed service may be older than this
        print(f"dropped: {counted(dropped, 'key')} (enrich returned no profile for them)")
    profiles, shards = summary["profiles_generated"], summary["shards_processed"]
    print(f"profiles: {profiles} (one for each key, merged from all sources)")
    print(_place(summary["output"], output_uri))
    merged = f"{counted(profiles, 'enriched profile')} across {counted(shards, 'shard')}"
    print(f"Merged {merged} in {seconds:.1f}s")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 shard`, `2 shards`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _place(output: dict[str, Any], output_uri: str | None) -> str:
    """Tell where the output is, as far as the trigger can know it."""
    directory = "OUTPUT_URI" if output_uri is None else output_uri.rstrip("/")
    version = f"{directory}/{output['version']}"
    if output["published"]:
        text = f"published: {directory}/{output['manifest']}, which names the files in {version}"
    else:
        text = f"not published: {version} still lacks shards; a run without --shards completes it"
    if not output.get("durable", True):
        return f"{text}; deleted with the disk of the run"
    return text if output_uri is not None else f"{text}; OUTPUT_URI is that of the service"


def _print_rows(output_uri: str) -> None:
    """Show the first profiles: the key, and the columns that do not come from a source."""
    import pyarrow.parquet as pq  # imported late: only a terminal needs it

    files = (read_json(output_uri, MANIFEST) or {"files": []})["files"]
    part = next((file["path"] for file in files if file["path"].endswith(".parquet") and file["rows"]), None)
    if part is None:
        return
    batch = next(pq.ParquetFile(Path(output_uri, part)).iter_batches(PREVIEW_ROWS))
    sources = tuple(f"{source_name(file)}_" for file in SOURCE_FILES)
    names = [name for name in batch.schema.names if name == KEY_COLUMN or not name.startswith(sources)]
    table = Table(title=f"{min(PREVIEW_ROWS, len(batch))} of the profiles in {part}", title_justify="left")
    for name in names[:PREVIEW_COLUMNS]:
        table.add_column(name)
    for row in batch.select(names[:PREVIEW_COLUMNS]).to_pylist():
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
