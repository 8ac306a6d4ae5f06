"""Sources: keys stay text, each row goes to one shard, and errors say where a file is malformed."""

import csv
import errno
import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from {{ cookiecutter.package_name }} import sources
from {{ cookiecutter.package_name }}.errors import SourceError
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN, SOURCE_FILES, source_name
from {{ cookiecutter.package_name }}.sharding import shard_of, shards_of
from {{ cookiecutter.package_name }}.sources import (
    BLOCK_BYTES,
    ROW_NUMBER,
    SourceShard,
    read_shard,
)

FILE = SOURCE_FILES[0]
NOTE = "test_note"
HEADER = (KEY_COLUMN, NOTE)


def as_csv(*rows: Sequence[str], line_end: str = "\n") -> bytes:
    """Return rows as the bytes of a CSV file.

    Tests build headers with it too, because the name of the key column may need quotes.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode()


def read(data: Path, content: bytes, shard_id: int = 0, shard_count: int = 1) -> SourceShard:
    """Write a source and read one of its shards."""
    (data / FILE).write_bytes(content)
    return read_shard(str(data), FILE, shard_id, shard_count)


def keys_of(shard: SourceShard) -> list[str]:
    keys: list[str] = shard.rows[KEY_COLUMN].to_pylist()
    return keys


def notes_of(shard: SourceShard) -> list[str | None]:
    notes: list[str | None] = shard.rows[NOTE].to_pylist()
    return notes


def test_keys_stay_text_as_written(data: Path) -> None:
    keys = ["00123", "123", "1.0", "NA", "null", "true", "2026-01-01", "1e5", "Zürich", "客户"]

    shard = read(data, as_csv(HEADER, *([key, "x"] for key in keys)))

    assert keys_of(shard) == keys


def test_only_keys_and_column_names_are_trimmed(data: Path) -> None:
    shard = read(data, as_csv([f" {KEY_COLUMN} ", f"{NOTE} "], [" 7\t", " a "], ["\u00a08", "b"]))

    assert shard.rows.column_names == [KEY_COLUMN, NOTE]
    assert keys_of(shard) == ["7", "8"]
    assert notes_of(shard) == [" a ", "b"]


def test_only_an_empty_cell_is_null(data: Path) -> None:
    shard = read(data, as_csv(HEADER, ["1", ""], ["2", "NA"], ["3", " "]) + b'4,""\n')

    assert notes_of(shard) == [None, "NA", " ", None]


def test_quoted_cells_may_hold_commas_line_breaks_and_quotes(data: Path) -> None:
    notes = ["Ltd, London", "two\nlines", "two\r\nlines", 'an "x"', ",", "\n"]

    shard = read(data, as_csv(HEADER, *([str(number), note] for number, note in enumerate(notes))))

    assert notes_of(shard) == notes


ROWS = (HEADER, ("1", "a"), ("2", "b"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(as_csv(*ROWS), id="plain"),
        pytest.param(as_csv(*ROWS).removesuffix(b"\n"), id="no final line break"),
        pytest.param(as_csv(*ROWS, line_end="\r\n"), id="CRLF"),
        pytest.param(as_csv(*ROWS, line_end="\r\n").removesuffix(b"\r\n"), id="CRLF, no final line break"),
        pytest.param(b"\xef\xbb\xbf" + as_csv(*ROWS), id="byte order mark"),
        pytest.param(b"\n" + as_csv(*ROWS, line_end="\n\n"), id="blank lines"),
    ],
)
def test_equivalent_files_give_the_same_rows(data: Path, content: bytes) -> None:
    shard = read(data, content)

    assert shard.rows.to_pylist() == [
        dict(zip(HEADER, ("1", "a"), strict=True)),
        dict(zip(HEADER, ("2", "b"), strict=True)),
    ]
    assert shard.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(as_csv(HEADER), id="plain"),
        pytest.param(as_csv(HEADER, line_end="\r\n"), id="CRLF"),
        pytest.param(as_csv(HEADER).removesuffix(b"\n"), id="no final line break"),
        pytest.param(b"\xef\xbb\xbf" + as_csv(HEADER).removesuffix(b"\n"), id="byte order mark"),
    ],
)
def test_a_header_without_rows_is_an_empty_source(data: Path, content: bytes) -> None:
    shard = read(data, content)

    assert shard.rows.column_names == [KEY_COLUMN, NOTE]
    assert len(shard.rows) == len(shard.rejects) == 0


def test_rows_with_a_blank_key_are_rejects_with_their_row_number(data: Path) -> None:
    shard = read(data, as_csv(HEADER, ["1", "a"], ["", "b"], ["2", "c"], [" \t", "d"]))

    assert keys_of(shard) == ["1", "2"]
    assert shard.rejects.to_pylist() == [
        {ROW_NUMBER: 2, KEY_COLUMN: None, NOTE: "b"},
        {ROW_NUMBER: 4, KEY_COLUMN: " \t", NOTE: "d"},
    ]


def test_only_the_shard_of_the_empty_key_returns_rejects(data: Path) -> None:
    content = as_csv(HEADER, ["", "a"], ["1", "b"], [" ", "c"])

    counts = [len(read(data, content, shard_id, 5).rejects) for shard_id in range(5)]

    assert counts == [2 if shard_id == shard_of("", 5) else 0 for shard_id in range(5)]


def test_every_row_lands_in_the_shard_of_its_key(data: Path) -> None:
    keys = [f"{number % 150:03d}" for number in range(200)]
    content = as_csv(HEADER, *([key, str(number)] for number, key in enumerate(keys)))

    shards = [read(data, content, shard_id, 7) for shard_id in range(7)]

    for shard_id, shard in enumerate(shards):
        assert {shard_of(key, 7) for key in keys_of(shard)} == {shard_id}
    rows = [row for shard in shards for row in zip(keys_of(shard), notes_of(shard), strict=True)]
    assert sorted(rows) == sorted((key, str(number)) for number, key in enumerate(keys))


def test_a_source_of_several_blocks_is_read_completely(data: Path) -> None:
    # The quoted line breaks make it all but certain that a block ends within a row.
    keys = ["" if number % 5_000 == 0 else f"{number:06d}" for number in range(1, 20_001)]
    content = as_csv(HEADER, *([key, "line\n" * 20] for key in keys))
    assert len(content) > 2 * BLOCK_BYTES

    shards = [read(data, content, shard_id, 2) for shard_id in range(2)]

    assert sorted(key for shard in shards for key in keys_of(shard)) == sorted(filter(None, keys))
    rejects = shards[shard_of("", 2)].rejects
    assert rejects[ROW_NUMBER].to_pylist() == [5_000, 10_000, 15_000, 20_000]
    assert shards[0].sha256 == shards[1].sha256 == hashlib.sha256(content).hexdigest()


def test_memory_grows_with_the_shard_not_the_source(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Arrow reads a limited number of blocks ahead. Small blocks give a small source many more than that.
    monkeypatch.setattr(sources, "BLOCK_BYTES", 1 << 14)
    content = as_csv(HEADER, *([f"{number:06d}", "x" * 500] for number in range(8_000)))
    before, held = pa.total_allocated_bytes(), []

    def measure(keys: pa.Array, shard_count: int) -> Any:  # called once per block
        held.append(pa.total_allocated_bytes() - before)
        return shards_of(keys, shard_count)

    monkeypatch.setattr(sources, "shards_of", measure)
    shard = read(data, content, 0, 1_000)

    assert len(shard.rows) > 0
    assert len(held) > 200
    assert 0 < max(held) < len(content) / 3


REFUSALS = [
    pytest.param(b"", f": is empty; line 1 must be a header with the column {KEY_COLUMN!r}", id="empty"),
    pytest.param(
        b"\n\n", f": is empty; line 1 must be a header with the column {KEY_COLUMN!r}", id="only blank lines"
    ),
    pytest.param(
        as_csv([f"not {KEY_COLUMN}", NOTE], ["1", "a"]),
        f", line 1: none of its 2 columns is the key, {KEY_COLUMN!r}",
        id="no key column",
    ),
    pytest.param(
        as_csv([KEY_COLUMN, NOTE, f" {NOTE}"], ["1", "a", "b"]),
        ", line 1, column 3: another column has the same name",
        id="duplicate column",
    ),
    pytest.param(
        as_csv([KEY_COLUMN, " ", NOTE], ["1", "a", "b"]),
        ", line 1, column 2: the column has no name",
        id="unnamed column",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"], ["2"]),
        ", line 3, column 2: 1 cell, the header has 2",
        id="short row",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a\nb"], ["2", "c", "d", "e"]),
        ", line 4, column 3: 4 cells, the header has 2",
        id="long row after a cell of two lines",
    ),
    pytest.param(
        b"caf\xe9," + as_csv(HEADER),
        ", line 1, column 4: byte 0xe9 is not UTF-8",
        id="header not UTF-8",
    ),
    pytest.param(
        b"\xef\xbb\xbfcaf\xe9," + as_csv(HEADER),
        ", line 1, column 7: byte 0xe9 is not UTF-8",
        id="header not UTF-8 after a byte order mark",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"]) + b"2,caf\xe9\n",
        ", line 3, column 6: byte 0xe9 is not UTF-8",
        id="row not UTF-8",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"]) + b'2,"b\n3,c\n',
        ", line 3: unexpected end of data; is a quote not closed?",
        id="quote never closed",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"], line_end="\r\n") + b'2,"b\r\n3,c\r\n',
        ", line 3: unexpected end of data; is a quote not closed?",
        id="quote never closed, CRLF",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"]) + b'2,"b ""c""\n',
        ", line 3: unexpected end of data; is a quote not closed?",
        id="quote never closed after doubled ones",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"]) + b'2,"',
        ", line 3: unexpected end of data; is a quote not closed?",
        id="quote at the very end",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"]) + b'2,"b',
        ", line 3: unexpected end of data; is a quote not closed?",
        id="quote never closed in the last line",
    ),
    pytest.param(
        as_csv(HEADER) + b'1,5" pipe\n2,"b\n3,c\n',
        ", line 3: unexpected end of data; is a quote not closed?",
        id="quote never closed after a stray one",
    ),
    pytest.param(
        as_csv(HEADER, ["1", "a"], ["2", "x" * 3 * BLOCK_BYTES], ["3", "c"]),
        f", line 3: the row is longer than {BLOCK_BYTES} bytes",
        id="row longer than the block",
    ),
]


@pytest.mark.parametrize(("content", "refusal"), REFUSALS)
def test_a_malformed_source_is_refused_with_the_exact_place(data: Path, content: bytes, refusal: str) -> None:
    with pytest.raises(SourceError) as error:
        read(data, content)

    assert str(error.value) == FILE + refusal


def test_a_source_that_changes_while_it_is_read_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(keys: pa.Array, shard_count: int) -> Any:
        (data / FILE).write_bytes(as_csv(HEADER, ["1", "another"]))
        return shards_of(keys, shard_count)

    monkeypatch.setattr(sources, "shards_of", change)

    with pytest.raises(SourceError) as error:
        read(data, as_csv(HEADER, ["1", "a"]))

    assert str(error.value) == f"{FILE}: was changed while it was read"


def test_every_shard_refuses_a_malformed_source(data: Path) -> None:
    content = as_csv(HEADER, ["1", "a"], ["2"])

    for shard_id in range(3):
        with pytest.raises(SourceError, match="line 3, column 2"):
            read(data, content, shard_id, 3)


def test_a_missing_file_is_refused_without_revealing_a_host_path(data: Path) -> None:
    with pytest.raises(SourceError) as error:
        read_shard(str(data), FILE, 0, 1)

    assert str(error.value) == f"{FILE}: there is no such file in DATA_URI"


def test_a_directory_in_place_of_a_source_is_refused_with_the_reason(data: Path) -> None:
    (data / FILE).mkdir()

    with pytest.raises(SourceError) as error:
        read_shard(str(data), FILE, 0, 1)

    # Windows reports that access is denied instead.
    reasons = [os.strerror(errno.EISDIR), os.strerror(errno.EACCES)]
    assert str(error.value) in [f"{FILE}: cannot be read: {reason}" for reason in reasons]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("orders.csv", "orders"),
        ("Web-Orders.csv", "web_orders"),
        ("2024 Q1 (final).csv", "2024_q1__final"),
        ("Aufträge.csv", "aufträge"),
    ],
)
def test_a_source_is_named_after_its_file(file: str, source: str) -> None:
    assert source_name(file) == source
