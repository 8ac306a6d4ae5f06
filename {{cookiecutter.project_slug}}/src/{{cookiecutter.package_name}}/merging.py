"""From a shard's rows, source by source, to one row per key: an outer join in Arrow, without a loop."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

{% if cookiecutter.idempotency %}
from .idempotency import with_idempotency_key
{% endif %}
from .settings import KEY_COLUMN, InputError


def last_row_per_key(rows: pa.Table) -> pa.Table:
    """Of several rows with one key, the last one; keys in the order in which they first appear."""
    codes = rows[KEY_COLUMN].combine_chunks().dictionary_encode()
    last = np.empty(len(codes.dictionary), dtype=np.int64)
    last[codes.indices.to_numpy()] = np.arange(len(rows))  # a later row overwrites an earlier one
    return rows.take(pa.array(last))


def count_duplicates(rows: pa.Table) -> int:
    """How many rows have a key that another row of the same source has had before."""
    return len(rows) - int(pc.count_distinct(rows[KEY_COLUMN]).as_py())


{% if cookiecutter.idempotency %}
@with_idempotency_key
{% endif %}
def align(sources: dict[str, pa.Table]) -> pa.Table:
    """Join sources that have one row per key: a row for each key that any of them has, sorted by key.

    Args:
        sources: tables by the name of their source. Each column but the key gets that name as a prefix.

    Returns:
        The key column, then the columns of each source; null where a source does not have the key.

    Raises:
        InputError: two columns would have the same name.
    """
    chunks = [chunk for table in sources.values() for chunk in table[KEY_COLUMN].cast(pa.string()).chunks]
    keys = pc.unique(pa.chunked_array(chunks, pa.string()))
    keys = keys.take(pc.array_sort_indices(keys))
    columns, names = [keys], [KEY_COLUMN]
    for source, table in sources.items():
        positions = pc.index_in(keys, value_set=table[KEY_COLUMN].combine_chunks())
        for name in table.column_names:
            if name != KEY_COLUMN:
                columns.append(table[name].take(positions))
                names.append(f"{source}_{name}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"two columns of the sources would both be named {twice[0]!r}; rename one")
    return pa.table(columns, names)
