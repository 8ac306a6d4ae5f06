"""One shard, from the sources to its part of the output: read, merge, enrich, write."""

import hashlib
from typing import Any

import pandas as pd
import pyarrow as pa

from .enrichment import enrich, merge_rows
{% if cookiecutter.idempotency %}
from .idempotency import add_idempotency_key
{% endif %}
from .manifest import OutputVersion
from .merging import count_duplicates, outer_join
from .parts import write_part
from .settings import KEY_COLUMN, SOURCE_FILES, Settings, source_name
from .sources import read_shard
from .summary import shard_statistics


def run_shard(shard_id: int, settings: Settings) -> dict[str, Any]:
    """Process one shard and write its part of the output.

    Returns:
        Counts, statistics and the files written, as JSON whose size does not grow with the rows. Only the shard
        that holds the smallest key returns a sample row.

    Raises:
        SourceError: a source is malformed, or lacks what the rules need.
        OutputError: the part cannot be written.
    """
    tables: dict[str, pa.Table] = {}
    rejects: dict[str, pa.Table] = {}
    first_keys: list[str] = []
    sources_digest = hashlib.sha256()
    records = duplicates = 0
    for file in SOURCE_FILES:
        source = read_shard(settings.data_uri, file, shard_id, settings.shard_count)
        sources_digest.update(f"{source.sha256}  {file}\n".encode())
        first_keys += filter(None, [source.first_key])
        rejects[file] = source.rejects
        records += len(source.rows)
        duplicates += count_duplicates(source.rows)
        tables[source_name(file)] = merge_rows(source_name(file), source.rows)
        del source  # before the next source's rows are read
    profiles = build_profiles(tables)
    output = _to_arrow(profiles)
    samples = [row for row in output.slice(0, 1).to_pylist() if row[KEY_COLUMN] == min(first_keys)]

    version = OutputVersion(settings.output_uri, sources_digest.hexdigest(), settings.shard_count)
    result = {
        "shard_id": shard_id,
        "count": len(profiles),
        "records": records,
        "duplicate_records": duplicates,
        "rejected_records": sum(len(table) for table in rejects.values()),
        "statistics": shard_statistics(profiles),
        "sample_profile": next(iter(samples), None),
        "source_data_hash": version.source_data_hash,
        "version": version.name,
        "files": write_part(version, shard_id, output, rejects),
    }
    version.save_result(result)
    return result


{% if cookiecutter.idempotency %}
def build_profiles(tables: dict[str, pa.Table]) -> pd.DataFrame:
    """Join the sources by key, add the idempotency key, and apply the rules. Frees the memory of `tables`."""
    merged = add_idempotency_key(outer_join(tables))
    tables.clear()
    pa.default_memory_pool().release_unused()
    return enrich(merged.to_pandas())
{% else %}
def build_profiles(tables: dict[str, pa.Table]) -> pd.DataFrame:
    """Join the sources by key, and apply the rules. Frees the memory of `tables`."""
    merged = outer_join(tables)
    tables.clear()
    pa.default_memory_pool().release_unused()
    return enrich(merged.to_pandas())
{% endif %}


def _to_arrow(profiles: pd.DataFrame) -> pa.Table:
    """Return the profiles with one schema in every shard, also where a shard has no row or no value."""
    table = pa.Table.from_pandas(profiles, preserve_index=False).replace_schema_metadata(None)
    text = (pa.large_string(), pa.null())
    fields = [field.with_type(pa.string()) if field.type in text else field for field in table.schema]
    return table.cast(pa.schema(fields))
