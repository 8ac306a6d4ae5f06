"""A shard's part of the output: its profiles as Parquet, and the rows that were set aside as JSON lines."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from . import storage
from .manifest import OutputVersion
from .sources import ROW_NUMBER


def write_part(
    version: OutputVersion, shard_id: int, profiles: pa.Table, rejects: dict[str, pa.Table]
) -> list[dict[str, Any]]:
    """Write the profiles of one shard, and its rejects by source file if there are any.

    Returns:
        Each file as the manifest lists it: `path`, `bytes`, `sha256` and `rows`.
    """
    content, rejected = pa.BufferOutputStream(), sum(len(table) for table in rejects.values())
    pq.write_table(profiles, content, compression="zstd")
    path = version.path("profiles", "part", shard_id, "parquet")
    files = [{**storage.write(version.output_uri, path, [content.getvalue()]), "rows": len(profiles)}]
    if rejected:
        path = version.path("rejects", "rejects", shard_id, "jsonl")
        files.append({**storage.write(version.output_uri, path, _lines(rejects)), "rows": rejected})
    return files


def _lines(rejects: dict[str, pa.Table]) -> Iterator[bytes]:
    for source, table in rejects.items():
        for record in (row for batch in table.to_batches() for row in batch.to_pylist()):
            line = {"source": source, "row": record.pop(ROW_NUMBER), "record": record}
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"
