"""What the READMEs name exists: targets, files, options, variables, prompts and their defaults."""

import re
from collections.abc import Callable

import pytest

from support.baked import BakedProject
from support.variants import COOKIECUTTER_JSON, TEMPLATE, Answers


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
    targets = re.findall(r"(?:^|`)make (\w+)", readme, re.MULTILINE)
    assert {"run", "test"} < set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert len(links) > 15
    headings = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.*)", readme, re.MULTILINE)
    }
    for link in links:
        path, _, heading = link.partition("#")
        assert (project.path / path).exists(), link
        assert not heading or heading in headings, link
    help_text = project.run("python", "trigger.py", "--help").stdout
    for option in set(re.findall(r"(?<![\w-])(--(?:local|json|shards|once-per|no-wait|timeout))\b", readme)):
        assert option in help_text, option
    variables = re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE)
    settings = project.read(project.module_file("settings"))
    assert set(variables) == set(re.findall(r'read_variable\("([A-Z_]+)"', settings))


def test_template_readme_lists_every_prompt_with_its_default() -> None:
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", readme, re.MULTILINE))
    prompts = {name: value for name, value in COOKIECUTTER_JSON.items() if not name.startswith("_")}
    assert list(rows) == list(prompts)
    for name, value in prompts.items():
        default = value[0] if isinstance(value, list) else {True: "yes"}.get(value, value)
        assert f"`{default}`" in rows[name] or "{{" in default, name
