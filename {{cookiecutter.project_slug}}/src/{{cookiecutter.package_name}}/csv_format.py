"""The format of a source, and the exact place where a file breaks it. Needs no Arrow.

A source is a CSV file in UTF-8 with commas and double quotes. Its header names the key column, and each row has
as many cells as the header. `sources.py` reads fast and notices that a file is malformed; this module says where.
"""

import csv
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from .errors import SourceError
from .settings import KEY_COLUMN, KEY_COLUMN_BY_SOURCE, Settings

MAX_ROW_BYTES = 1 << 20
csv.field_size_limit(2**31 - 1)


def open_source(directory: str, file: str) -> BufferedReader:
    """Open a source for reading; a `SourceError` says why that is not possible."""
    try:
        return Path(directory, file).open("rb")
    except FileNotFoundError:
        raise SourceError(f"{file}: there is no such file in DATA_URI{_hint(directory, file)}") from None
    except OSError as error:
        raise SourceError(f"{file}: cannot be read: {error.strerror}") from None


def read_header(directory: str, file: str) -> list[str]:
    """Return the column names of a source, as written; a `SourceError` says why a header is invalid."""
    key = KEY_COLUMN_BY_SOURCE.get(file, KEY_COLUMN)
    with open_source(directory, file) as source:
        header = next((row for _, row in _rows(source, file) if row), None)
    if header is None:
        raise SourceError(f"{file}: is empty; line 1 must be a header with the column {key!r}")
    names = [name.strip() for name in header]
    for position, name in enumerate(names, start=1):
        if not name:
            raise SourceError(f"{file}, line 1, column {position}: the column has no name")
        if name in names[: position - 1]:
            raise SourceError(f"{file}, line 1, column {position}: another column has the same name")
    if key not in names:
        raise SourceError(f"{file}, line 1: there is no key column {key!r}; {_columns_found(names)}")
    if KEY_COLUMN in names and key != KEY_COLUMN:
        raise SourceError(f"{file}, line 1: has a column {KEY_COLUMN!r} besides its key {key!r}; rename one")
    return header


def check_rows(directory: str, file: str) -> None:
    """Read a whole source slowly; a `SourceError` names the line and the column that break the format."""
    with open_source(directory, file) as source:
        rows = ((line, row) for line, row in _rows(source, file) if row)
        _, header = next(rows)
        for line, row in rows:
            if len(row) != len(header):
                place = f"{file}, line {line}, column {min(len(row), len(header)) + 1}"
                cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
                raise SourceError(f"{place}: {cells}, the header has {len(header)}")
            if sum(len(cell.encode()) for cell in row) > MAX_ROW_BYTES - 2 * len(row):
                raise SourceError(f"{file}, line {line}: the row is longer than {MAX_ROW_BYTES} bytes")


def _hint(directory: str, file: str) -> str:
    """Say what to do about a missing file: take a similar one beside it, or make sample data."""
    stem = file.removesuffix("csv").lower()
    with suppress(OSError):
        names = sorted(path.name for path in Path(directory).iterdir())
        if similar := [name for name in names if name.lower().startswith(stem)]:
            return f"; there is {similar[0]}, but a source is a plain CSV file with exactly its name"
    return "; `make data` makes sample data" if directory == Settings.data_uri else ""


def _columns_found(names: list[str]) -> str:
    """List the columns of a header that lacks the key, and guess a wrong delimiter."""
    shown = ", ".join(repr(name[:40]) for name in names[:10]) + ", ..." * (len(names) > 10)
    if len(names) == 1 and (delimiter := next((d for d in ";\t|" if d in names[0]), None)):
        return f"its only column is {shown}: the delimiter must be a comma, not {delimiter!r}"
    return f"its {len(names)} column{'s are' if len(names) > 1 else ' is'} {shown}"


def _rows(source: BufferedReader, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line that it begins on."""
    first_line = 1
    rows = csv.reader(_lines(source, file), strict=True)
    try:
        for row in rows:
            yield first_line, row
            first_line = rows.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{file}, line {first_line}: {error}; is a quote not closed?") from None


def _lines(source: BufferedReader, file: str) -> Iterator[str]:
    """Yield each line as text. The column of a byte that is not UTF-8 is counted in bytes."""
    for number, line in enumerate(source, start=1):
        try:
            yield line.decode().removeprefix("\ufeff" if number == 1 else "")  # a byte order mark
        except UnicodeDecodeError as error:
            place = f"{file}, line {number}, column {error.start + 1}"
            raise SourceError(f"{place}: byte 0x{line[error.start]:02x} is not UTF-8") from None
