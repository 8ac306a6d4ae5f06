"""What the pipeline requires of the rules in `enrichment.py`, checked in every shard.

A failure of the rules is told with the line where it was, and with the source, the column and the kind of a value that
does not convert, never the value itself.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .enrichment import enrich, merge_rows
from .errors import EtlError, RulesError
from .settings import KEY_COLUMN

# Integers and booleans keep their type where values are missing; pandas would make them floats or objects.
NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}

# Errors about code: their messages cannot contain a value from the data.
CODE_ERRORS = (AttributeError, ImportError, IndexError, NameError, TypeError, ZeroDivisionError)
KINDS = {r"\s*": "a blank value", r"\D*": "text", r"[-+]?[\d.,' ]+": "a number with separators"}


def reduce_source(source: str, rows: pa.Table) -> pa.Table:
    """Return the result of `merge_rows`; a `RulesError` says if it failed, or broke its contract."""
    with _explained(rows, source):
        merged = merge_rows(source, rows)
    rule = f"merge_rows must return one row for each key of the source {source!r}"
    if missing := _count_missing(rule, merged[KEY_COLUMN].combine_chunks(), pc.unique(rows[KEY_COLUMN])):
        raise RulesError(f"{rule}; {missing} of {missing + len(merged)} keys are missing")
    return merged


def apply_rules(merged: pa.Table) -> tuple[pd.DataFrame, int]:
    """Return the result of `enrich`, and how many keys it dropped; a `RulesError` as for `reduce_source`."""
    with _explained(merged):
        profiles = enrich(merged.to_pandas(types_mapper=_pandas_type))
        keys = pa.array(profiles[KEY_COLUMN], pa.string())
    rule = "enrich must return each key of its shard once, or drop it"
    return profiles, _count_missing(rule, keys, merged[KEY_COLUMN].combine_chunks())


def to_arrow(profiles: pd.DataFrame) -> pa.Table:
    """Return profiles with one schema in every shard, also where a shard has no row or no value."""
    try:
        table = pa.Table.from_pandas(profiles, preserve_index=False).replace_schema_metadata(None)
    except (TypeError, ValueError) as error:  # its message may contain a value
        column = "".join(re.findall(r"column (.*) with type", str(error))) or "with a name that occurs twice"
        raise RulesError(f"enrich returned a column that cannot be stored: {column}") from error
    text = (pa.large_string(), pa.null())
    fields = [field.with_type(pa.string()) if field.type in text else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _count_missing(rule: str, returned: pa.Array, given: pa.Array) -> int:
    """Count the given keys that a rule did not return; it must return no others, and none twice."""
    unknown = len(returned) - (pc.sum(pc.is_in(returned, value_set=given)).as_py() or 0)
    if repeated := len(returned) - len(pc.unique(returned)):
        raise RulesError(f"{rule}; {repeated} of {len(returned)} rows repeat a key")
    if unknown:
        raise RulesError(f"{rule}; {unknown} of {len(returned)} rows have another key")
    return len(given) - (pc.sum(pc.is_in(given, value_set=returned)).as_py() or 0)


def _pandas_type(arrow_type: pa.DataType) -> object:
    """Return the pandas type that keeps an Arrow type also where values are missing; None for pandas' own choice."""
    if pa.types.is_string(arrow_type) or pa.types.is_floating(arrow_type):
        return None
    return NULLABLE.get(arrow_type) or pd.ArrowDtype(arrow_type)


@contextmanager
def _explained(rows: pa.Table, source: str = "") -> Iterator[None]:
    """Turn an error of the rules into a `RulesError` that says where it was: `enrichment.py:42 in enrich`."""
    try:
        yield
    except (EtlError, MemoryError, OSError):
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent)][-1]
        cause = _cause(error, Path(own.filename).read_text(encoding="utf-8"), rows, source)
        raise RulesError(f"{Path(own.filename).name}:{own.lineno} in {own.name}: {cause}") from error


def _cause(error: Exception, code: str, rows: pa.Table, source: str) -> str:
    """Tell an error without a value from the data: a missing key counts as a name if the code contains it."""
    name = type(error).__name__
    if isinstance(error, CODE_ERRORS) or (isinstance(error, KeyError) and str(error.args[0]) in code):
        return f"{name}: {error}"
    if isinstance(error, (ValueError, ArithmeticError)):
        for quoted in re.findall(r"'(.*?)'(?!\w)|\"(.*?)\"", str(error), re.DOTALL):
            text = "".join(quoted)
            for column in rows.column_names:
                if rows[column].type == pa.string() and pc.any(pc.equal(rows[column], text)).as_py():
                    kinds = [kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, text)]
                    place = f"the column {column!r}" + f" of the source {source!r}" * bool(source)
                    kind = [*kinds, "text with digits"][0]
                    return f"{name}: {place} contains {kind}, which cannot be converted"
    return name
