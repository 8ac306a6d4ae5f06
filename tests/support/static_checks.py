"""What must be true of every rendered file, whatever the answers. Each check yields complaints."""

import ast
import functools
import json
import re
import tomllib
from collections.abc import Iterator

import yaml

from support.baked import BakedProject
from support.layout import expected_files

# Distributions and the modules in them. A project must import what it declares and declare what it imports.
MODULES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "render": "render",
    "render_sdk": "render_sdk",
    "rich": "rich",
}
TOOLS = {"mypy", "pandas-stubs", "pytest", "ruff"}


def complaints(project: BakedProject) -> Iterator[str]:
    """Yield all that is wrong with a rendered project, as far as its files show without running anything."""
    yield from _file_set(project)
    for path in sorted(project.files()):
        yield from _text_complaints(path, project.read(path))
    yield from _dependencies(project)
    yield from _settings(project)


@functools.cache
def _text_complaints(path: str, text: str) -> tuple[str, ...]:
    """Return the complaints about one file; cached, because most files are the same in many variants."""
    return (*_whitespace(path, text), *_syntax(path, text))


def _whitespace(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line != line.rstrip():
            yield f"{path}:{number}: trailing blanks or a carriage return"
        if (
            "{%" in line
            or "{#" in line
            or re.search(r"(?<!\$)\{\{|cookiecutter\.", _without_text(line, path))
        ):
            yield f"{path}:{number}: Jinja is left: {line}"
    if not text.endswith("\n") or text.endswith("\n\n") or text.startswith("\n"):
        yield f"{path}: must begin with text and end with one line break"
    if "\n\n\n\n" in text or ("\n\n\n" in text and not path.endswith(".py")):
        yield f"{path}: too many blank lines"


def _without_text(line: str, path: str) -> str:
    """Return a line of Python without the doubled braces of f-strings; other lines as they are."""
    return re.sub(r"\{\{|\}\}", "", line) if path.endswith(".py") else line


def _file_set(project: BakedProject) -> Iterator[str]:
    expected, actual = expected_files(project.answers), project.files()
    yield from (f"{path}: is missing" for path in sorted(expected - actual))
    yield from (f"{path}: is not expected" for path in sorted(actual - expected))


def _syntax(path: str, text: str) -> Iterator[str]:
    try:
        if path.endswith(".py"):
            compile(text, path, "exec", dont_inherit=True)
        elif path.endswith(".toml"):
            tomllib.loads(text)
        elif path.endswith((".yaml", ".yml")):
            yaml.safe_load(text)
        elif path.endswith(".json"):
            json.loads(text)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        yield f"{path}: {error}"


def _dependencies(project: BakedProject) -> Iterator[str]:
    """Every declared dependency is imported, every import is declared, and every one of them is pinned."""
    pyproject = tomllib.loads(project.read("pyproject.toml"))["project"]
    declared = {_name(requirement) for requirement in pyproject["dependencies"]}
    tools = {_name(requirement) for requirement in pyproject["optional-dependencies"]["dev"]}
    code = [path for path in project.files() if path.endswith(".py") and not path.startswith("tests/")]
    imported = {module for path in code for module in _imports(project.read(path))}
    for distribution, module in MODULES.items():
        if (distribution in declared) != (module in imported):
            yield f"pyproject.toml: {distribution} is declared without an import, or imported without a declaration"
    yield from (f"pyproject.toml: {name} is unknown to the tests" for name in declared - set(MODULES))
    if tools != TOOLS:
        yield f"pyproject.toml: the tools are {sorted(tools)}"
    pins = {_name(line) for line in project.read("constraints.txt").splitlines()}
    normal = {name.replace("_", "-") for name in declared | tools}
    yield from (f"constraints.txt: {name} has no pin" for name in sorted(normal - pins))


def _settings(project: BakedProject) -> Iterator[str]:
    """Every constant and every field of settings.py is used somewhere else."""
    path = project.module_file("settings")
    tree = ast.parse(project.read(path))
    names = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}  # type: ignore[attr-defined]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names |= {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}  # type: ignore[union-attr]
    others = "".join(
        project.read(other)
        for other in project.files()
        if other.endswith(".py") and other != path and not other.startswith("tests/")
    )
    yield from (
        f"{path}: {name} is used nowhere" for name in sorted(names) if not re.search(rf"\b{name}\b", others)
    )


@functools.cache
def _imports(text: str) -> frozenset[str]:
    return frozenset(_find_imports(text))


def _find_imports(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0]
