"""Read a source as a stream and keep one shard's rows: memory follows the shard, not the source.

Every column is text, exactly as the file has it; an empty cell is null. Only the key is trimmed. No type is
inferred: inference would send `00123` and `123` to one shard, and lose a customer whose key is `NA`.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from .settings import KEY_COLUMN, InputError
from .sharding import shard_of, shards_of
from .sink import ROW_NUMBER
from .source_format import LONGEST_ROW, find_fault, open_source, read_header

BLOCK_BYTES = LONGEST_ROW  # Arrow holds a few dozen blocks at a time, and no row can be longer than one


@dataclass(frozen=True)
class SourceShard:
    """One source's rows of one shard; its rows without a key, numbered; the whole file's first key and hash."""

    rows: pa.Table
    rejects: pa.Table
    first_key: str | None
    sha256: str


def read_shard(directory: str, file: str, shard_id: int, shard_count: int) -> SourceShard:
    """Read one source whole, block by block, and keep the rows of one shard.

    Rows with a blank key belong to no shard; the shard of the empty key returns them as rejects.

    Raises:
        InputError: the file breaks the format, at the line and the column that the text names; or it was
            changed while it was read.
    """
    header = read_header(directory, file)
    with open_source(directory, file) as stream:
        before = _identity(os.fstat(stream.fileno()))
        beginning = stream.read(BLOCK_BYTES)
        stream.seek(0)
        # A pass of its own: Arrow reads in threads, which given a Python stream can outlive an error and hang
        # the process at its end.
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    # Arrow refuses a header without a line break, which means that there are no rows.
    has_rows = b"\n" in beginning or b"\r" in beginning
    try:
        blocks = _blocks(directory, file, header) if has_rows else ()
        rows, rejects, first_key = _filter(blocks, header, shard_id, shard_count)
    except pa.ArrowInvalid:
        unknown = InputError(f"{file}: is not the CSV that it must be")
        raise find_fault(directory, file) or unknown from None
    if before != _identity(Path(directory, file).stat()):
        raise InputError(f"{file}: was changed while it was read")
    return SourceShard(rows, rejects, first_key, sha256)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _may_end_in_quotes(path: Path, last_cell: str | None) -> bool:
    """Whether the file ends right after its last cell, without a quote that closes it.

    Arrow reads a quote that is never closed as if the end of the file closed it, and loses the rows between.
    """
    ending = b'"' + (last_cell or "").replace('"', '""').encode()
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - len(ending)))
        return stream.read() == ending


def _blocks(directory: str, file: str, header: list[str]) -> Iterator[pa.RecordBatch]:
    path = Path(directory, file)
    as_text, last_cell = dict.fromkeys(header, pa.string()), None
    with csv.open_csv(
        path,
        csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types=as_text, null_values=[""], strings_can_be_null=True),
    ) as reader:
        for block in reader:
            yield block
            last_cell = block.column(len(header) - 1)[-1].as_py() if len(block) else last_cell
    if _may_end_in_quotes(path, last_cell) and (fault := find_fault(directory, file)):
        raise fault


def _filter(
    blocks: Iterable[pa.RecordBatch], header: list[str], shard_id: int, shard_count: int
) -> tuple[pa.Table, pa.Table, str | None]:
    schema = pa.schema([(name.strip(), pa.string()) for name in header])
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
    return pa.Table.from_batches(rows, schema), pa.Table.from_batches(rejects, numbered), first_key
