"""One shard, from the sources to its part of the output: read, merge, enrich, write."""

import hashlib
from typing import Any

import pyarrow as pa

{% if cookiecutter.idempotency %}
from .idempotency import add_idempotency_key
{% endif %}
from .manifest import OutputVersion
from .merging import count_duplicates, outer_join
from .parts import write_part
from .rules import apply_rules, reduce_source, to_arrow
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
        RulesError: the rules failed, or did not return what they must.
        OutputError: the part cannot be written.
    """
    tables: dict[str, pa.Table] = {}
    rejects: dict[str, pa.Table] = {}
    first_keys: list[str] = []
    sources_digest = hashlib.sha256()
    source_rows = records = duplicates = 0
    for file in SOURCE_FILES:
        source = read_shard(settings.data_uri, file, shard_id, settings.shard_count)
        sources_digest.update(f"{source.sha256}  {file}\n".encode())
        first_keys += filter(None, [source.first_key])
        rejects[file] = source.rejects
        source_rows += source.row_count
        records += len(source.rows)
        duplicates += count_duplicates(source.rows)
        tables[source_name(file)] = reduce_source(source_name(file), source.rows)
        del source  # before the next source's rows are read
    merged_rows = sum(map(len, tables.values()))
    merged = merge_sources(tables)
    profiles, dropped_keys = apply_rules(merged)
    output = to_arrow(profiles)
    samples = to_arrow(profiles[profiles[KEY_COLUMN] == min(first_keys, default="")]).to_pylist()

    version = OutputVersion(settings.output_uri, sources_digest.hexdigest(), settings.shard_count)
    result = {
        "shard_id": shard_id,
        "count": len(profiles),
        "keys": len(merged),
        "dropped_keys": dropped_keys,
        "source_rows": source_rows,
        "records": records,
        "merged_rows": merged_rows,
        "duplicate_records": duplicates,
        "rejected_records": sum(len(table) for table in rejects.values()),
        "statistics": shard_statistics(profiles),
        "sample_profile": next(iter(samples), None),
        "source_data_hash": version.source_data_hash,
        "version": version.name,
        "columns": {field.name: str(field.type) for field in output.schema},
        "files": write_part(version, shard_id, output, rejects),
    }
    version.save_result(result)
    return result


{% if cookiecutter.idempotency %}
def merge_sources(tables: dict[str, pa.Table]) -> pa.Table:
    """Join the sources by key, and add the idempotency key. Frees the memory of `tables`."""
    merged = add_idempotency_key(outer_join(tables))
    tables.clear()
    pa.default_memory_pool().release_unused()
    return merged
{% else %}
def merge_sources(tables: dict[str, pa.Table]) -> pa.Table:
    """Join the sources by key. Frees the memory of `tables`."""
    merged = outer_join(tables)
    tables.clear()
    pa.default_memory_pool().release_unused()
    return merged
{% endif %}
