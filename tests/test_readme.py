"""What the READMEs say is true: their commands run, their example works, their tables are complete."""

import re
import textwrap
from collections import defaultdict
from collections.abc import Callable

import pytest

from baked import BakedProject
from variants import COOKIECUTTER_JSON, TEMPLATE, Answers


def test_aggregation_example_works(bake_project: Callable[..., BakedProject]) -> None:
    """The README's lines, put where it says, add up the orders of each key."""
    project = bake_project(source_files="orders.csv, clicks.csv", key_column="user_id", shard_count="2")
    project.generate(40, "--duplicates", "0.5")
    [block] = re.findall(r"```python\n(.*?)```", project.read("README.md"), re.DOTALL)
    enrichment = f"src/{project.package}/enrichment.py"
    head, body = project.read(enrichment).split('README.\n    """\n', 1)
    lines = textwrap.indent(textwrap.dedent(block), "    ")
    (project.path / enrichment).write_text(f'{head}README.\n    """\n{lines}{body}', encoding="utf-8")
    project.run("mypy")
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


@pytest.mark.parametrize(
    "answers",
    [{}, {"max_retries": "0", "schedule": "hourly", "source_files": "a.csv", "key_column": "k"}],
    ids=str,
)
def test_rendered_readme_names_only_what_is_there(
    bake_project: Callable[..., BakedProject], answers: Answers
) -> None:
    project = bake_project(**answers)
    readme = project.read("README.md")
    makefile = project.read("Makefile")
    for target in re.findall(r"make (\w+)", readme):
        if target not in ("each", "sure"):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"`((?:src|scripts)/[\w./]+)`", readme):
        assert (project.path / path).is_file(), path
    help_text = project.run("python", "trigger.py", "--help").stdout
    for option in set(re.findall(r"(?<![\w-])(--(?:local|json|shards|once-per|no-wait|timeout))\b", readme)):
        assert option in help_text, option
    variables = re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE)
    settings = project.read(f"src/{project.package}/settings.py")
    assert set(variables) == set(re.findall(r'_read\(\s*"([A-Z_]+)"', settings))


def test_template_readme_lists_every_prompt_with_its_default() -> None:
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", readme, re.MULTILINE))
    prompts = {name: value for name, value in COOKIECUTTER_JSON.items() if not name.startswith("_")}
    assert list(rows) == list(prompts)
    for name, value in prompts.items():
        default = value[0] if isinstance(value, list) else {True: "yes"}.get(value, value)
        assert f"`{default}`" in rows[name] or "{{" in default, name
