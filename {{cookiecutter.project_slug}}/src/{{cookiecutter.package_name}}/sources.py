"""Stream a source and keep the rows of one shard: memory grows with the shard, not with the source.

Every column is text, exactly as the file has it; an empty cell is null. Only the key is trimmed. Type inference
would route `00123` like `123`, and lose a customer whose key is `NA`.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from .csv_format import MAX_ROW_BYTES, check_rows, open_source, read_header
from .errors import SourceError
from .settings import KEY_COLUMN, KEY_COLUMN_BY_SOURCE, MISSING_BY_SOURCE
from .sharding import shard_of, shards_of

BLOCK_BYTES = MAX_ROW_BYTES  # a row must fit into a block; Arrow holds a few dozen blocks at a time
ROW_NUMBER = ""  # the column that numbers rejects, named as no column of a source can be


@dataclass(frozen=True)
class SourceShard:
    """What one shard takes from one source.

    Attributes:
        rows: this shard's rows, every column text.
        rejects: rows with a blank key, with their 1-based row number in the column `ROW_NUMBER`.
        row_count: rows of the whole source, with those of other shards and the rejects.
        first_key: smallest key of the whole source, or None if it has no key.
        sha256: digest of the whole file, in hexadecimal.
    """

    rows: pa.Table
    rejects: pa.Table
    row_count: int
    first_key: str | None
    sha256: str


def read_shard(directory: str, file: str, shard_id: int, shard_count: int) -> SourceShard:
    """Read a whole source, block by block, and keep the rows of one shard.

    Rows with a blank key belong to no shard. The shard of the empty text returns them as rejects.

    Raises:
        SourceError: the file is malformed, or was changed while it was read.
    """
    header = read_header(directory, file)
    with open_source(directory, file) as stream:
        before = _file_state(os.fstat(stream.fileno()))
        # Arrow refuses a header that no line break follows, which means that there are no rows.
        beginning = stream.read(BLOCK_BYTES)
        has_rows = b"\n" in beginning or b"\r" in beginning
        stream.seek(0)
        # In a pass of its own: with a Python stream, Arrow's reading threads can outlive an error and keep the
        # process from ending.
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        blocks = _blocks(directory, file, header) if has_rows else ()
        key = KEY_COLUMN_BY_SOURCE.get(file, KEY_COLUMN)
        names = [KEY_COLUMN if name.strip() == key else name.strip() for name in header]
        found = _filter(blocks, names, shard_id, shard_count)
    except pa.ArrowInvalid:
        check_rows(directory, file)
        raise SourceError(f"{file}: is not valid CSV, in a way that cannot be located") from None
    if before != _file_state(Path(directory, file).stat()):
        raise SourceError(f"{file}: was changed while it was read")
    return SourceShard(*found, sha256)


def _file_state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _blocks(directory: str, file: str, header: list[str]) -> Iterator[pa.RecordBatch]:
    path = Path(directory, file)
    as_text, last_cell = dict.fromkeys(header, pa.string()), None
    missing = ["", *MISSING_BY_SOURCE.get(file, [])]
    with csv.open_csv(
        path,
        csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types=as_text, null_values=missing, strings_can_be_null=True),
    ) as reader:
        for block in reader:
            yield block
            last_cell = block.column(len(header) - 1)[-1].as_py() if len(block) else last_cell
    if _may_end_in_quotes(path, last_cell):
        check_rows(directory, file)


def _may_end_in_quotes(path: Path, last_cell: str | None) -> bool:
    """Whether a file ends right after its last cell, without a quote that closes it.

    Arrow reads a quote that is never closed as if the end of the file closed it, and loses the rows between.
    """
    ending = b'"' + (last_cell or "").replace('"', '""').encode()
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - len(ending)))
        return stream.read() == ending


def _filter(
    blocks: Iterable[pa.RecordBatch], names: list[str], shard_id: int, shard_count: int
) -> tuple[pa.Table, pa.Table, int, str | None]:
    """Return the shard's rows, the rejects, and the number of rows and the smallest key of all blocks."""
    schema = pa.schema([(name, pa.string()) for name in names])
    numbered = schema.insert(0, pa.field(ROW_NUMBER, pa.int64()))
    takes_rejects = shard_id == shard_of("", shard_count)
    rows, rejects, first_keys, seen = [], [], [], 0
    for block in blocks:
        batch = pa.RecordBatch.from_arrays(block.columns, schema=schema)
        keys = pc.fill_null(pc.utf8_trim_whitespace(batch[KEY_COLUMN]), "")
        blank = pc.equal(keys, "")
        mine = pc.and_not(pa.array(shards_of(keys, shard_count) == shard_id), blank)
        position = schema.get_field_index(KEY_COLUMN)
        rows.append(batch.set_column(position, schema.field(position), keys).filter(mine))
        if takes_rejects:
            numbers = pa.array(range(seen + 1, seen + 1 + len(batch)), pa.int64())
            rejects.append(batch.add_column(0, numbered.field(0), numbers).filter(blank))
        first_keys.append(pc.min(pc.if_else(blank, None, keys)).as_py())
        seen += len(batch)
    first_key = min(filter(None, first_keys), default=None)
    return pa.Table.from_batches(rows, schema), pa.Table.from_batches(rejects, numbered), seen, first_key
