"""Variants pass their own checks and tests, and publish the same rows as the default options do."""

import shutil
from pathlib import Path

import pytest

from support.baked import BakedProject, bake
from support.static_checks import complaints
from support.variants import Answers, each_alone, label, pairwise


def unique(variants: list[Answers]) -> list[Answers]:
    """Return the variants without repetitions."""
    return list({label(answers): answers for answers in variants}.values())


@pytest.mark.slow
@pytest.mark.parametrize("answers", unique([*each_alone(), *pairwise()]), ids=label)
def test_variant_passes_its_own_checks_and_runs(answers: Answers, tmp_path: Path) -> None:
    """Each option alone, and each pair of options: lint, types, its own tests, and a real run."""
    project = bake(tmp_path, answers)
    assert not list(complaints(project))
    assert not project.lint()
    project.typecheck()
    project.run_tests()
    project.generate(120, "--missing", "0.2", "--duplicates", "0.1")
    summary = project.trigger(SHARD_COUNT="2")
    assert summary["profiles_generated"] == 120
    assert rows_by_key(project) == rows_by_key(twin(project, tmp_path))


def twin(project: BakedProject, tmp_path: Path) -> BakedProject:
    """Return a project with the same data and defaults for every option that must not change a row."""
    kept = {name: project.answers[name] for name in ("source_files", "key_column")}
    other = bake(tmp_path / "twin", kept)
    shutil.copytree(project.path / "sample_data", other.path / "sample_data")
    other.trigger(SHARD_COUNT="1")
    return other


def rows_by_key(project: BakedProject) -> list[dict[str, object]]:
    """Return the published rows in the order of their keys, without the column that is an option."""
    rows = [{k: v for k, v in row.items() if k != "idempotency_key"} for row in project.published()]
    return sorted(rows, key=lambda row: str(row[project.answers["key_column"]]))
