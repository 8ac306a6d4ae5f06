"""Test modules share code through `tests/support/` and never import each other."""

import ast
from pathlib import Path

from support.variants import TEMPLATE

TESTS = TEMPLATE / "tests"


def imported(path: Path) -> set[str]:
    """Return the dotted names of all that a file imports, including imports inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_no_test_module_imports_another() -> None:
    checked = [path for group in ("render", "service") for path in (TESTS / group).glob("*.py")]
    assert len(checked) > 30
    modules = {path.stem for path in checked}
    for path in [*checked, TESTS / "conftest.py", *(TESTS / "support").rglob("*.py")]:
        for name in imported(path):
            assert not modules & set(name.split(".")), f"{path}: imports {name}"
