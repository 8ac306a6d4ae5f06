"""The pipeline's numbers are those of a second implementation of the rules, row by row."""

from collections import Counter
from typing import Any

import pytest

from support import customer_rules
from support.baked import BakedProject


def expected(project: BakedProject) -> tuple[dict[str, dict[str, Any]], dict[str, list[dict[str, str]]]]:
    sources = {file.removesuffix(".csv"): project.source_rows(file) for file in project.sources}
    profiles = customer_rules.merge(sources, "customer_id")
    return {key: {**row, **customer_rules.enrich(row)} for key, row in profiles.items()}, sources


def test_every_cell_agrees_with_the_rules(default_project: BakedProject) -> None:
    profiles, _ = expected(default_project)
    default_project.trigger(SHARD_COUNT="4", OUTPUT_URI="out-cells")
    rows = default_project.published("out-cells")
    assert len(rows) == len(profiles) == 300
    for row in rows:
        key, row_hash = row.pop("idempotency_key").rsplit(":", 1)
        assert key == row["customer_id"]
        assert len(row_hash) == 64
        assert row == profiles[key]


def test_summary_agrees_with_the_rules(default_project: BakedProject) -> None:
    profiles, sources = expected(default_project)
    summary = default_project.trigger(SHARD_COUNT="3", OUTPUT_URI="out-summary")
    rows = list(profiles.values())
    assert summary["profiles_generated"] == len(rows)
    assert summary["records_processed"] == sum(map(len, sources.values()))
    assert summary["duplicate_records"] == sum(
        customer_rules.count_duplicates(source, "customer_id") for source in sources.values()
    )
    assert summary["duplicate_records"] > 0
    assert summary["rejected_records"] == 0
    statistics = summary["statistics"]
    average = sum(row["health_score"] for row in rows) / len(rows)
    assert statistics["avg_health_score"] == pytest.approx(average, abs=0.005)
    for statistic, column in [
        ("churn_distribution", "churn_risk"),
        ("expansion_distribution", "expansion_potential"),
    ]:
        assert statistics[statistic] == {"HIGH": 0, "MEDIUM": 0, "LOW": 0, **Counter(r[column] for r in rows)}
