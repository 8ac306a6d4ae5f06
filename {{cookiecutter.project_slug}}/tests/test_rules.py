"""The contract of the rules: one row per key, and failures that name the line and the column, never a value."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from {{ cookiecutter.package_name }} import rules
from {{ cookiecutter.package_name }}.errors import OutputError, RulesError
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN

MERGED = pa.table([["a", "b", "c"], ["1", None, "x-secret"]], [KEY_COLUMN, "orders_amount"])


def reduce(monkeypatch: pytest.MonkeyPatch, merge_rows: Callable[..., pa.Table]) -> pa.Table:
    monkeypatch.setattr(rules, "merge_rows", merge_rows)
    rows = pa.table([["a", "b", "a"], ["1", "2", "x-secret"]], [KEY_COLUMN, "amount"])
    return rules.reduce_source("orders", rows)


def enrich(monkeypatch: pytest.MonkeyPatch, function: Callable[[pd.DataFrame], pd.DataFrame]) -> Any:
    monkeypatch.setattr(rules, "enrich", function)
    return rules.apply_rules(MERGED)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["a", "b", "a"], "1 of 3 rows repeat a key"),
        (["a"], "1 of 2 keys are missing"),
        (["a", "z"], "1 of 2 rows have another key"),
        (["a", None], "1 of 2 rows have another key"),
    ],
)
def test_merge_rows_returns_one_row_for_each_key(
    monkeypatch: pytest.MonkeyPatch, keys: list[str | None], problem: str
) -> None:
    with pytest.raises(RulesError) as error:
        reduce(monkeypatch, lambda source, rows: pa.table([pa.array(keys, pa.string())], [KEY_COLUMN]))

    rule = "merge_rows must return one row for each key of the source 'orders'"
    assert str(error.value) == f"{rule}; {problem}"


def test_enrich_returns_no_key_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RulesError, match="or drop it; 3 of 6 rows repeat a key"):
        enrich(monkeypatch, lambda profiles: pd.concat([profiles, profiles]))


def test_enrich_returns_no_other_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(profiles: pd.DataFrame) -> pd.DataFrame:
        return profiles.assign(**{KEY_COLUMN: profiles[KEY_COLUMN] + "!"})

    with pytest.raises(RulesError, match="or drop it; 3 of 3 rows have another key"):
        enrich(monkeypatch, rename)


def test_keys_that_enrich_drops_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles, dropped = enrich(monkeypatch, lambda profiles: profiles[1:])

    assert (len(profiles), dropped) == (2, 1)


@pytest.mark.parametrize(
    "missing", [[False, True], [True, True], [False, False]], ids=["some", "all", "none"]
)
def test_types_survive_missing_values(monkeypatch: pytest.MonkeyPatch, missing: list[bool]) -> None:
    """A column has one type in every shard, whether or not a key lacks the source there."""
    values = {
        "n": (pa.int64(), 1),
        "flag": (pa.bool_(), True),
        "x": (pa.float64(), 0.5),
        "day": (pa.date32(), 1),
    }
    columns = {name: pa.array([v, v], type_, mask=pa.array(missing)) for name, (type_, v) in values.items()}
    monkeypatch.setattr(rules, "enrich", lambda profiles: profiles)

    profiles, _ = rules.apply_rules(pa.table({KEY_COLUMN: ["a", "b"], "text": ["x", None], **columns}))

    table = rules.to_arrow(profiles)
    assert [str(type_) for type_ in table.schema.types] == [
        "string",
        "string",
        "int64",
        "bool",
        "double",
        "date32[day]",
    ]
    assert [table[name].null_count for name in values] == [sum(missing)] * 4


@pytest.mark.parametrize(
    ("columns", "named"),
    [({"mixed": [1, "x-secret"]}, ": mixed"), ({KEY_COLUMN: ["a", "b"]}, ": with a name that occurs twice")],
)
def test_a_column_that_cannot_be_stored_is_named(columns: dict[str, list[Any]], named: str) -> None:
    keys, others = pd.DataFrame({KEY_COLUMN: ["a", "b"]}), pd.DataFrame(columns, dtype=object)
    profiles = pd.concat([keys, others], axis=1)

    with pytest.raises(RulesError) as error:
        rules.to_arrow(profiles)

    assert str(error.value) == f"enrich returned a column that cannot be stored{named}"


def fail_with(error: Exception) -> Callable[..., Any]:
    def fail(*arguments: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (TypeError("unsupported operand"), "TypeError: unsupported operand"),
        (KeyError("KEY_COLUMN"), "KeyError: 'KEY_COLUMN'"),  # stands in the code
        (KeyError("x-secret"), "KeyError"),
        (ValueError("no such thing"), "ValueError"),
        (
            ValueError("could not convert string to float: 'x-secret'"),
            "ValueError: the column 'orders_amount' contains text, which cannot be converted",
        ),
    ],
)
def test_a_failure_names_the_cause_without_a_value(
    monkeypatch: pytest.MonkeyPatch, error: Exception, cause: str
) -> None:
    with pytest.raises(RulesError) as raised:
        enrich(monkeypatch, fail_with(error))

    place, _, rest = str(raised.value).partition(": ")
    assert rest == cause
    assert place.startswith(
        "rules.py:"
    )  # the rule itself is in this test, which is not a part of the package


def test_a_value_that_does_not_convert_names_source_and_column(monkeypatch: pytest.MonkeyPatch) -> None:
    def total(source: str, rows: pa.Table) -> pa.Table:
        return rows.set_column(1, "amount", rows["amount"].cast(pa.float64()))

    with pytest.raises(RulesError) as error:
        reduce(monkeypatch, total)

    expected = (
        "ArrowInvalid: the column 'amount' of the source 'orders' contains text, which cannot be converted"
    )
    assert str(error.value).endswith(expected)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("error", [OutputError("disk full"), MemoryError(), OSError("gone")])
def test_failures_that_are_not_of_the_rules_pass(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with pytest.raises(type(error)):
        enrich(monkeypatch, fail_with(error))
