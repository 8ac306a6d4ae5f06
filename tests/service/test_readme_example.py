"""The example in a rendered README works where the README says to put it."""

import re
import textwrap
from collections import defaultdict
from collections.abc import Callable

import pytest

from support.baked import BakedProject


def test_aggregation_example_works(bake_project: Callable[..., BakedProject]) -> None:
    """The README's lines add up the orders of each key."""
    project = bake_project(source_files="orders.csv, clicks.csv", key_column="user_id", shard_count="2")
    project.generate(40, "--duplicates", "0.5")
    [block] = re.findall(r"```python\n(.*?)```", project.read("README.md"), re.DOTALL)
    enrichment = project.module_file("enrichment")
    lines = textwrap.indent(textwrap.dedent(block), "    ")
    anchor = 'of the source, every column text.\n    """\n'
    project.edit(enrichment, anchor, f"{anchor}{lines}")
    project.typecheck()
    summary = project.trigger()
    assert summary["profiles_generated"] == 40

    expected: dict[str, list[float]] = defaultdict(list)
    for row in project.source_rows("orders.csv"):
        expected[row["user_id"]].append(float(row["amount"]))
    assert max(map(len, expected.values())) > 1
    for profile in project.published():
        amounts = expected[profile["user_id"]]
        assert profile["orders_amount"] == pytest.approx(sum(amounts))
        assert profile["orders_row_count"] == len(amounts)
        assert profile["clicks_name"].startswith("Name")
