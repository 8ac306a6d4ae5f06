"""The example in a rendered README works where the README says to put it."""

import re
import textwrap
from collections import defaultdict
from collections.abc import Callable

import pytest

from support.baked import BakedProject


def test_aggregation_example_works(bake_project: Callable[..., BakedProject]) -> None:
    """The README's lines add up the orders of each key, also of keys that have none; lint and tests still pass."""
    project = bake_project(source_files="clicks.csv, orders.csv", key_column="user_id", shard_count="7")
    project.generate(40, "--duplicates", "0.5", "--missing", "0.3")
    [block] = re.findall(r"^  ```python\n(.*?)```", project.read("README.md"), re.DOTALL | re.MULTILINE)
    enrichment = project.module_file("enrichment")
    lines = textwrap.indent(textwrap.dedent(block), "    ")
    anchor = 'of the source, every column text.\n    """\n'
    project.edit(enrichment, anchor, f"{anchor}{lines}")
    assert not project.lint()
    project.typecheck()
    project.run_tests()
    summary = project.trigger()
    assert summary["profiles_generated"] == 40

    expected: dict[str, list[float]] = defaultdict(list)
    for row in project.source_rows("orders.csv"):
        expected[row["user_id"]].append(float(row["amount"]))
    assert max(map(len, expected.values())) > 1
    assert len(expected) < 40, "some keys have no orders"
    for profile in project.published():
        amounts = expected[profile["user_id"]]
        assert profile["orders_amount"] == (pytest.approx(sum(amounts)) if amounts else None)
        assert profile["orders_row_count"] == len(amounts)
        assert profile["clicks_name"].startswith("Name")
