"""What a source must look like, and the exact place where one does not. Standard library only.

A source is a CSV file: UTF-8, comma, double quotes, a header with the key column, as many cells in each row
as there are in the header. The fast reader (sources.py) only says that something is wrong; this says where.
"""

import csv
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from .settings import KEY_COLUMN, InputError

LONGEST_ROW = 1 << 20  # bytes
csv.field_size_limit(2**31 - 1)


def open_source(directory: str, file: str) -> BufferedReader:
    """Open a source for reading; an `InputError` says why it cannot be read."""
    try:
        return (Path(directory) / file).open("rb")
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file in DATA_URI") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None


def read_header(directory: str, file: str) -> list[str]:
    """The column names as the file has them; an `InputError` where they or the file are not as they must."""
    with open_source(directory, file) as source:
        header = next((row for _, row in _rows(source, file) if row), None)
    if header is None:
        raise InputError(f"{file}: is empty; line 1 must be a header with the column {KEY_COLUMN!r}")
    names = [name.strip() for name in header]
    for position, name in enumerate(names, start=1):
        if not name:
            raise InputError(f"{file}, line 1, column {position}: the column has no name")
        if name in names[: position - 1]:
            raise InputError(f"{file}, line 1, column {position}: another column has the same name")
    if KEY_COLUMN not in names:
        raise InputError(f"{file}, line 1: none of its {len(names)} columns is the key, {KEY_COLUMN!r}")
    return header


def find_fault(directory: str, file: str) -> InputError | None:
    """Read the whole source slowly and name the first line and column that break the format, if any."""
    try:
        with open_source(directory, file) as source:
            rows = ((line, row) for line, row in _rows(source, file) if row)
            _, header = next(rows)
            for line, row in rows:
                if len(row) != len(header):
                    column = min(len(row), len(header)) + 1
                    cells = f"{len(row)} cells, the header has {len(header)}"
                    return InputError(f"{file}, line {line}, column {column}: {cells}")
                if sum(len(cell.encode()) for cell in row) > LONGEST_ROW - 2 * len(row):
                    return InputError(f"{file}, line {line}: a row is longer than {LONGEST_ROW} bytes")
    except InputError as error:
        return error
    return None


def _rows(source: BufferedReader, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins on."""
    first_line = 1
    rows = csv.reader(_lines(source, file), strict=True)
    try:
        for row in rows:
            yield first_line, row
            first_line = rows.line_num + 1
    except csv.Error as error:
        raise InputError(f"{file}, line {first_line}: {error}; is a quote not closed?") from None


def _lines(source: BufferedReader, file: str) -> Iterator[str]:
    """The source's lines as text; a wrong byte is reported with its column, counted in bytes."""
    for number, line in enumerate(source, start=1):
        try:
            yield line.decode().removeprefix("\ufeff" if number == 1 else "")  # a byte order mark
        except UnicodeDecodeError as error:
            place = f"{file}, line {number}, column {error.start + 1}"
            raise InputError(f"{place}: byte 0x{line[error.start]:02x} is not UTF-8") from None
