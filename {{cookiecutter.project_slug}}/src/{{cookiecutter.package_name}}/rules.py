"""What the pipeline requires of the rules in `enrichment.py`, checked in every shard.

`merge_rows` returns one row for each key, and `enrich` returns each key at most once. A broken rule is told with the
line that broke and, for a value that does not convert, with its source, its column and its kind, never the value.
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

PACKAGE = Path(__file__).parent

# Whole numbers and booleans stay what they are where a value is missing; pandas would make them floats or objects.
NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}

# Errors about code: their messages cannot contain a value from the data.
CODE_ERRORS = (AttributeError, ImportError, IndexError, NameError, TypeError, ZeroDivisionError)
KINDS = {
    r"\s*": "a blank value",
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*": "a date",
    r"[-+]?\d[\d.,' ]*": "a number with separators",
    r"\W*\d[\d.,]*\s*\S{0,4}": "a number with a unit",
}


def reduce_source(source: str, rows: pa.Table) -> pa.Table:
    """Return the result of `merge_rows` for one source.

    Raises:
        RulesError: the rule failed, or did not return one row for each of the keys that it got.
    """
    with _explained(rows, source):
        merged = merge_rows(source, rows)
    expected = pc.unique(rows[KEY_COLUMN])
    repeated, unknown = _surplus(merged[KEY_COLUMN].combine_chunks(), expected)
    if repeated or unknown or len(merged) < len(expected):
        raise RulesError(
            f"merge_rows must return one row for each key: for {len(expected)} keys of the source {source!r} it"
            f" returned {len(merged)} rows, {repeated} of them with a repeated key and {unknown} with an unknown one"
        )
    return merged


def apply_rules(merged: pa.Table) -> tuple[pd.DataFrame, int]:
    """Return the result of `enrich` for the merged profiles of one shard, and how many keys it dropped.

    Raises:
        RulesError: the rule failed, returned a key twice, or returned one that the shard does not have.
    """
    with _explained(merged):
        profiles = enrich(merged.to_pandas(types_mapper=_pandas_type))
        keys = pa.array(profiles[KEY_COLUMN], pa.string())
    expected = merged[KEY_COLUMN].combine_chunks()
    repeated, unknown = _surplus(keys, expected)
    if repeated or unknown:
        raise RulesError(
            f"enrich must return each key once: for {len(merged)} keys it returned {len(keys)} rows, {repeated} of"
            f" them with a repeated key and {unknown} with an unknown one"
        )
    return profiles, len(expected) - (pc.sum(pc.is_in(expected, value_set=keys)).as_py() or 0)


def to_arrow(profiles: pd.DataFrame) -> pa.Table:
    """Return profiles with one schema in every shard, also where a shard has no row or no value."""
    table = pa.Table.from_pandas(profiles, preserve_index=False).replace_schema_metadata(None)
    text = (pa.large_string(), pa.null())
    fields = [field.with_type(pa.string()) if field.type in text else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _surplus(keys: pa.Array, expected: pa.Array) -> tuple[int, int]:
    """Return how many keys are repeated, and how many are not among those expected."""
    known = pc.sum(pc.is_in(keys, value_set=expected)).as_py() or 0
    return len(keys) - len(pc.unique(keys)), len(keys) - known


def _pandas_type(arrow_type: pa.DataType) -> object:
    """Return the pandas type that keeps an Arrow type also where values are missing; None for pandas' own choice."""
    if pa.types.is_string(arrow_type) or pa.types.is_floating(arrow_type):
        return None
    return NULLABLE.get(arrow_type) or pd.ArrowDtype(arrow_type)


@contextmanager
def _explained(rows: pa.Table, source: str | None = None) -> Iterator[None]:
    """Turn an error of the rules into a `RulesError` that says where it was, without a value from the data."""
    try:
        yield
    except (EtlError, MemoryError, OSError):
        raise
    except Exception as error:
        place = _place(error)
        raise RulesError(f"{place}: {_cause(error, rows, source)}") from error


def _place(error: Exception) -> str:
    """Return the innermost line of this package: `enrichment.py:42 in enrich`."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno} in {own[-1].name}"


def _cause(error: Exception, rows: pa.Table, source: str | None) -> str:
    name = type(error).__name__
    if isinstance(error, KeyError) and _is_in_the_code(error, str(error.args[0])):
        return f"{name}: {error.args[0]!r}"
    if isinstance(error, CODE_ERRORS):
        return f"{name}: {error}"
    if not isinstance(error, (ValueError, ArithmeticError)):
        return name
    for quoted in re.findall(r"'(.*?)'(?!\w)|\"(.*?)\"", str(error), re.DOTALL):
        text = "".join(quoted)
        for column in rows.column_names:
            if rows[column].type == pa.string() and pc.any(pc.equal(rows[column], text)).as_py():
                kind = next((kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, text)), "text")
                place = f"the column {column!r}" + (f" of the source {source!r}" if source else "")
                return f"{name}: {place} contains {kind}, which cannot be converted"
    return name


def _is_in_the_code(error: Exception, text: str) -> bool:
    """Whether a text is written in the module that failed, and so is not a value from the data."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.filename for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    return bool(own) and text in Path(own[-1]).read_text(encoding="utf-8")
