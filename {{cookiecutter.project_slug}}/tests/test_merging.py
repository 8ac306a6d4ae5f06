"""Merging: the last row of a key wins, and the outer join has a row for each key of any source."""

from typing import Any

import pyarrow as pa
import pytest

from {{ cookiecutter.package_name }}.errors import SourceError
from {{ cookiecutter.package_name }}.merging import count_duplicates, last_row_per_key, outer_join
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN


def table(keys: list[str], **columns: list[str | None]) -> pa.Table:
    """Return the rows of a source as columns of text."""
    arrays = [pa.array(keys, pa.string()), *(pa.array(cells, pa.string()) for cells in columns.values())]
    return pa.table(arrays, [KEY_COLUMN, *columns])


def joined(**sources: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of the outer join of these sources."""
    rows: list[dict[str, Any]] = outer_join(sources).to_pylist()
    return rows


def test_the_last_row_of_a_key_wins_with_all_its_cells() -> None:
    rows = table(["b", "a", "b", "c"], test_1=["1", "2", "3", "4"], test_2=["x", "y", None, "z"])

    assert last_row_per_key(rows).to_pydict() == {
        KEY_COLUMN: ["b", "a", "c"],
        "test_1": ["3", "2", "4"],
        "test_2": [None, "y", "z"],
    }


def test_the_last_row_wins_across_blocks() -> None:
    rows = pa.concat_tables([table(["a", "b"], test_1=["1", "2"]), table(["a"], test_1=["3"])])

    assert last_row_per_key(rows).to_pydict() == {KEY_COLUMN: ["a", "b"], "test_1": ["3", "2"]}


@pytest.mark.parametrize(
    ("keys", "duplicates"),
    [([], 0), (["a"], 0), (["a", "b", "a"], 1), (["a", "a", "b", "b", "a"], 3), (["1", "01", "1.0"], 0)],
)
def test_rows_whose_key_occurred_before_are_duplicates(keys: list[str], duplicates: int) -> None:
    assert count_duplicates(table(keys)) == duplicates


def test_each_key_of_any_source_gets_a_row_with_nulls_for_the_others() -> None:
    rows = joined(left=table(["a", "b"], test_1=["1", "2"]), right=table(["c", "a"], test_1=["3", "4"]))

    assert rows == [
        {KEY_COLUMN: "a", "left_test_1": "1", "right_test_1": "4"},
        {KEY_COLUMN: "b", "left_test_1": "2", "right_test_1": None},
        {KEY_COLUMN: "c", "left_test_1": None, "right_test_1": "3"},
    ]


def test_rows_are_sorted_by_key_as_text() -> None:
    rows = joined(only=table(["b", "9", "É", "10", "B"], test_1=["1", "2", "3", "4", "5"]))

    assert [row[KEY_COLUMN] for row in rows] == ["10", "9", "B", "b", "É"]
    assert [row["only_test_1"] for row in rows] == ["4", "2", "5", "1", "3"]


def test_columns_are_grouped_by_source_and_prefixed_with_its_name() -> None:
    first = table(["a"], test_2=["1"], test_1=["2"])
    second = first.select(["test_1", KEY_COLUMN])

    assert list(joined(one=first, two=second)[0]) == [KEY_COLUMN, "one_test_2", "one_test_1", "two_test_1"]


def test_sources_without_rows_give_a_table_without_rows() -> None:
    merged = outer_join({"left": table([], test_1=[]), "right": table([], test_1=[])})

    assert len(merged) == 0
    assert merged.column_names == [KEY_COLUMN, "left_test_1", "right_test_1"]


def test_columns_whose_prefixed_names_collide_are_refused() -> None:
    sources = {"web": table(["a"], orders_test=["1"]), "web_orders": table(["a"], test=["2"])}

    with pytest.raises(SourceError, match="both be named 'web_orders_test'"):
        outer_join(sources)
