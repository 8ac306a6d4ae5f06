"""An answer that enters a file as a literal comes out of it unchanged, in Python, TOML, YAML and JSON."""

import ast
import json
import tomllib

import pytest
import yaml

import template_extension as extension
from support.answers import ACCEPTED


@pytest.mark.parametrize("text", [*ACCEPTED["description"], *ACCEPTED["key_column"], "both ' and \"", "é\\n"])
def test_literals_give_the_text_back(text: str) -> None:
    assert ast.literal_eval(extension.python_string(text)) == text
    literal = extension.quoted(text)
    assert tomllib.loads(f"x = {literal}") == {"x": text}
    assert yaml.safe_load(f"x: {literal}") == {"x": text}
    assert json.loads(literal) == text
