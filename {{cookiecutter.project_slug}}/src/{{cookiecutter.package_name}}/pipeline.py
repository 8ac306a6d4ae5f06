"""What a worker does with its shard: read, merge, enrich, write, report."""

import hashlib
from typing import Any

import pandas as pd
import pyarrow as pa

from .enrichment import enrich, merge_rows
from .merging import align, count_duplicates
from .settings import KEY_COLUMN, SOURCE_FILES, Settings, source_name
from .sink import Part
from .sources import read_shard
from .statistics import shard_statistics


def run_shard(shard_id: int, settings: Settings) -> dict[str, Any]:
    """Process one shard of the sources and write its part of the output.

    Returns:
        A small JSON object, whatever the number of rows: counts, statistics, and where the part is. One
        shard adds a profile as a sample, the one that has the first of all keys; rows travel nowhere else.
    """
    tables: dict[str, pa.Table] = {}
    rejects: dict[str, pa.Table] = {}
    first_keys: list[str] = []
    identity = hashlib.sha256()
    records = duplicates = 0
    for file in SOURCE_FILES:
        source = read_shard(settings.data_uri, file, shard_id, settings.shard_count)
        identity.update(f"{source.sha256}  {file}\n".encode())
        first_keys += filter(None, [source.first_key])
        rejects[file] = source.rejects
        records += len(source.rows)
        duplicates += count_duplicates(source.rows)
        tables[source_name(file)] = merge_rows(source_name(file), source.rows)
        del source  # the next source's rows take the place of these
    merged = align(tables)
    tables.clear()
    pa.default_memory_pool().release_unused()  # what reading has left would come on top of what follows
    profiles = enrich(merged.to_pandas())
    del merged
    output = _to_arrow(profiles)
    samples = [row for row in output.slice(0, 1).to_pylist() if row[KEY_COLUMN] == min(first_keys)]

    part = Part(settings.output_uri, identity.hexdigest(), shard_id, settings.shard_count)
    result = {
        "shard_id": shard_id,
        "count": len(profiles),
        "records": records,
        "duplicate_records": duplicates,
        "rejected_records": sum(len(table) for table in rejects.values()),
        "statistics": shard_statistics(profiles),
        "sample_profile": next(iter(samples), None),
        "source_data_hash": part.source_data_hash,
        "version": part.version,
        "files": [*part.write_profiles(output), *part.write_rejects(rejects)],
    }
    part.write_result(result)
    return result


def _to_arrow(profiles: pd.DataFrame) -> pa.Table:
    """The profiles with one schema in every shard, also where a shard has no row or no value."""
    table = pa.Table.from_pandas(profiles, preserve_index=False).replace_schema_metadata(None)
    text = (pa.large_string(), pa.null())
    fields = [field.with_type(pa.string()) if field.type in text else field for field in table.schema]
    return table.cast(pa.schema(fields))
