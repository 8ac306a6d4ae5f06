"""The tests cover every option, and options choose files and values instead of pieces of code."""

import re

from support.variants import COOKIECUTTER_JSON, KINDS, TEMPLATE, TEXTS, choices

TREE = TEMPLATE / "{{cookiecutter.project_slug}}"


def test_every_answer_is_varied() -> None:
    """A new prompt fails here until the tests know its values."""
    prompts = {name for name in COOKIECUTTER_JSON if not name.startswith("_")}
    assert prompts == {*choices(), *KINDS, *TEXTS}
    assert prompts == set(COOKIECUTTER_JSON["__prompts__"])
    for name, values in choices().items():
        labels = COOKIECUTTER_JSON["__prompts__"][name]
        if isinstance(labels, dict):
            assert set(labels) == {"__prompt__", *values}, name
            assert "recommended" in labels[values[0]] or name == "render_region"


def test_few_control_blocks_and_none_in_a_function() -> None:
    """Options choose files and values: Jinja's control blocks stay few, and out of Python's functions."""
    blocks = 0
    for path in TREE.rglob("*"):
        blocks += len(re.findall(r"\{%", path.name)) // 2
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            blocks += len(re.findall(r"\{%-?\s*(?:if|for)\b", text))
            if "py" in path.suffix or path.name.endswith("py{% endif %}"):
                indented = re.findall(r"^[ \t]+.*\{%.*", text, re.MULTILINE)
                assert not [line for line in indented if "{% raw" not in line], path
    assert blocks < 60
