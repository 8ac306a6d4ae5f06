"""What a team changes in its first week breaks only the tests that are about the changed thing."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.baked import BakedProject, bake

pytestmark = pytest.mark.slow


def drop_a_rule(project: BakedProject) -> None:
    rule = "        + _first_of((nps >= 9, 10), (nps >= 7, 5), (nps <= 5, -10))\n"
    project.edit(project.module_file("enrichment"), rule, "")


def add_a_source(project: BakedProject) -> None:
    files = '    "support.csv",\n'
    project.edit(project.module_file("settings"), files, f'{files}    "loyalty.csv",\n')
    columns = '    "support.csv": {'
    points = '    "loyalty.csv": {"points": partial(whole, 0, 900)},\n'
    project.edit("scripts/sample_columns.py", columns, points + columns)


def change_the_key(project: BakedProject) -> None:
    project.edit(project.module_file("settings"), '"customer_id"', '"account"')


def aggregate(project: BakedProject) -> None:
    rows = "    return last_row_per_key(rows)\n"
    largest = """    if source == "support":
        largest = rows.group_by("{key}", use_threads=False).aggregate([("open_tickets", "max"), ("nps_score", "min")])
        return largest.rename_columns(["{key}", "open_tickets", "nps_score"])
""".format(key=project.answers["key_column"])
    project.edit(project.module_file("enrichment"), rows, largest + rows)


def add_a_dependency(project: BakedProject) -> None:
    project.edit("pyproject.toml", "dependencies = [\n", 'dependencies = [\n    "pyyaml>=6",\n')
    enrichment = project.module_file("enrichment")
    project.edit(enrichment, "import pyarrow as pa\n", "import pyarrow as pa\nimport yaml\n")
    project.edit(enrichment, "def merge_rows", 'LIMITS = yaml.safe_load("high: 5")\n\n\ndef merge_rows')


ABOUT_THE_RULES = "tests/test_enrichment.py::"
CHANGES: list[tuple[Callable[[BakedProject], None], int]] = [
    (drop_a_rule, 8),
    (add_a_source, 0),
    (change_the_key, 0),
    (aggregate, 0),
    (add_a_dependency, 0),
]


@pytest.mark.parametrize(("change", "failures"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_change_breaks_only_the_tests_about_it(
    tmp_path: Path, change: Callable[[BakedProject], None], failures: int
) -> None:
    project = bake(tmp_path, {"shard_count": "3"})
    change(project)

    done = project.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", check=False)

    failed = re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    assert len(failed) == failures, done.stdout
    assert all(test.startswith(ABOUT_THE_RULES) for test in failed)
    assert done.stdout.count("if that is intended, change the value that this test expects") >= failures
    assert not re.findall(r"^ERROR", done.stdout, re.MULTILINE)
    project.generate(100, "--missing", "0.2")
    assert project.trigger()["profiles_generated"] == 100
