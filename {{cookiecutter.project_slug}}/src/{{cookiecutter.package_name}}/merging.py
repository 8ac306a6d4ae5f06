"""From the rows of each source to one row per key: an outer join in Arrow, without a loop over rows."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .errors import SourceError
from .settings import KEY_COLUMN


def last_row_per_key(rows: pa.Table) -> pa.Table:
    """Keep the last of several rows with one key, whole; keys stay in the order of their first appearance."""
    codes = rows[KEY_COLUMN].combine_chunks().dictionary_encode()
    last = np.empty(len(codes.dictionary), dtype=np.int64)
    last[codes.indices.to_numpy()] = np.arange(len(rows))  # a later row overwrites an earlier one
    return rows.take(pa.array(last))


def count_duplicates(rows: pa.Table) -> int:
    """Count the rows whose key an earlier row of the same source already has."""
    return len(rows) - int(pc.count_distinct(rows[KEY_COLUMN]).as_py())


def outer_join(sources: dict[str, pa.Table]) -> pa.Table:
    """Join sources by key: one row for each key that any of them has, sorted by key.

    Args:
        sources: a table with one row per key for each source's name.

    Returns:
        The key column, then the columns of each source as `<source>_<column>`; null where a source lacks the key.
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
        raise SourceError(f"two columns of the sources would both be named {twice[0]!r}; rename one")
    return pa.table(columns, names)
