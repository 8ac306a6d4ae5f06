"""What real data needs: one schema in every part, other names for a key, missing values, and readers as pasted."""

import json
import re
from collections.abc import Callable

import polars
import pyarrow.parquet as pq
import pytest

from support.baked import BakedProject

AGGREGATE = """    if source == "clicks":
        counts = rows.group_by(KEY_COLUMN, use_threads=False).aggregate([([], "count_all")])
        late = pc.greater(counts["count_all"], 1)
        return counts.append_column("is_late", late).rename_columns([KEY_COLUMN, "row_count", "is_late"])
"""


def test_integers_and_booleans_are_the_same_in_every_part(bake_project: Callable[..., BakedProject]) -> None:
    """Some shards have a key that lacks the source, and some have none."""
    project = bake_project(source_files="orders.csv, clicks.csv", key_column="id", shard_count="12")
    project.generate(30, "--missing", "0.3", "--duplicates", "0.3")
    anchor = 'of the source, every column text.\n    """\n'
    project.edit(project.module_file("enrichment"), anchor, anchor + AGGREGATE)

    project.trigger()

    files = [path for path in project.published_bytes() if path.endswith(".parquet")]
    schemas = [pq.read_schema(project.path / "output" / path) for path in files]
    assert len(schemas) == 12
    assert all(schema == schemas[0] for schema in schemas)
    assert (str(schemas[0].field("clicks_row_count").type), str(schemas[0].field("clicks_is_late").type)) == (
        "int64",
        "bool",
    )
    frame = polars.read_parquet([project.path / "output" / path for path in files])
    assert frame["clicks_is_late"].null_count() > 0
    manifest = json.loads(project.read("output/manifest.json"))
    assert manifest["columns"]["clicks_is_late"] == "bool"


def test_a_column_with_two_types_is_not_published(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project(source_files="orders.csv", key_column="id", shard_count="3", retry_wait_ms="0")
    project.generate(30)
    rule = "        completeness=profiles[source_columns(profiles)]"
    broken = "        mixed=1 if profiles[KEY_COLUMN].min() < 'key_00000002' else 1.5,\n"
    project.edit(project.module_file("enrichment"), rule, broken + rule)

    done = project.run("python", "trigger.py", "--local", check=False)

    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert re.match(
        r"error: the column 'mixed' is \w+ in shard 0, but \w+ in shard [\d,]+; the rules must give", line
    )
    assert {"int64", "double"} < set(line.split())
    assert not (project.path / "output" / "manifest.json").exists()


def test_a_source_may_name_its_key_and_its_missing_values_itself(
    bake_project: Callable[..., BakedProject],
) -> None:
    project = bake_project(source_files="airports.csv, weather.csv", key_column="faa", shard_count="2")
    settings = project.module_file("settings")
    project.edit(
        settings,
        "KEY_COLUMN_BY_SOURCE: dict[str, str] = {}",
        'KEY_COLUMN_BY_SOURCE = {"weather.csv": "origin"}',
    )
    project.edit(
        settings,
        "MISSING_BY_SOURCE: dict[str, list[str]] = {}",
        'MISSING_BY_SOURCE = {"weather.csv": ["NA"]}',
    )
    data = project.path / "data"
    data.mkdir()
    (data / "airports.csv").write_text("faa,name\nEWR,Newark\nNA,Not missing here\n", encoding="utf-8")
    (data / "weather.csv").write_text("temp,origin\n7,EWR\nNA,JFK\n1,NA\n", encoding="utf-8")

    summary = project.trigger(DATA_URI="data")

    assert (summary["profiles_generated"], summary["rejected_records"]) == (3, 1)
    rows = {row["faa"]: row for row in project.published()}
    assert {key: row["weather_temp"] for key, row in rows.items()} == {"EWR": "7", "JFK": None, "NA": None}
    assert rows["NA"]["airports_name"] == "Not missing here"


@pytest.mark.parametrize("reader", ["pandas", "polars", "duckdb"])
def test_the_readme_s_snippets_read_the_output(default_project: BakedProject, reader: str) -> None:
    default_project.trigger(OUTPUT_URI="output", SHARD_COUNT="2")
    first, second = re.findall(
        r"^```python\n(.*?)^```", default_project.read("README.md"), re.MULTILINE | re.DOTALL
    )
    [line] = [line for line in second.splitlines() if f"= {reader}." in line]

    program = f"import {reader}\n{first}{line}\nprint(profiles.shape[0])\n"
    printed = default_project.run("python", "-c", program).stdout

    assert printed == "300\n"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "customer_id;email",
            "its only column is 'customer_id;email': the delimiter must be a comma, not ';'",
        ),
        ("customer_id\temail", "the delimiter must be a comma, not '\\t'"),
        ("customer,email", "there is no key column 'customer_id'; its 2 columns are 'customer', 'email'"),
    ],
)
def test_a_header_that_is_not_understood_is_shown(
    bake_project: Callable[..., BakedProject], header: str, message: str
) -> None:
    project = bake_project()
    project.generate(3)
    (project.path / "sample_data" / "crm.csv").write_text(f"{header}\n", encoding="utf-8")

    done = project.run("python", "trigger.py", "--local", check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("error: crm.csv, line 1: ")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("there", "hint"),
    [
        ("crm.csv.gz", "; there is crm.csv.gz, but a source is a plain CSV file with exactly its name"),
        ("CRM.CSV", "; there is CRM.CSV, but a source is a plain CSV file with exactly its name"),
        ("crm_2025.csv", "; `make data` makes sample data"),
    ],
)
def test_a_missing_source_is_looked_for_nearby(
    bake_project: Callable[..., BakedProject], there: str, hint: str
) -> None:
    project = bake_project()
    project.generate(3)
    (project.path / "sample_data" / "crm.csv").rename(project.path / "sample_data" / there)

    done = project.run("python", "trigger.py", "--local", check=False)

    assert done.stderr == f"error: crm.csv: there is no such file in DATA_URI{hint}\n"


@pytest.mark.slow
def test_a_broken_rule_costs_one_attempt_of_each_shard(bake_project: Callable[..., BakedProject]) -> None:
    """One typo cost 40 attempts; now the last line of the run names it."""
    project = bake_project()
    project.generate(50)
    project.edit(
        project.module_file("enrichment"),
        'TEXTS = ("crm_deal_stage", "billing_plan",',
        'TEXTS = ("crm_deal_stage", "plan",',
    )
    project.edit(project.module_file("enrichment"), "if missing := [", "if False and [")

    done = project.run("python", "trigger.py", "--local", check=False)

    assert done.returncode == 1
    assert done.stderr.count('"event": "shard_start"') == 10
    last = done.stderr.splitlines()[-1]
    numbers = ",".join(map(str, range(10)))
    place = r"enrichment\.py:\d+ in <genexpr>"
    assert re.fullmatch(
        rf"error: 10 of 10 shards failed \(shard {numbers}: {place}: KeyError: 'plan'\)", last
    ), last
