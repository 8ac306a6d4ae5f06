"""The rendered package: imports follow layers, modules are short, and the part that a team edits is small."""

import ast
from graphlib import TopologicalSorter

import pytest

from support.baked import BakedProject, bake
from support.variants import Answers

# From the top down: a module may import only modules of later lines.
LAYERS = (
    {"cli.command"},
    {"cli.trigger"},
    {"cli.remote"},
    {"cli.api", "cli.progress", "cli.report"},
    {"cli.environment", "cli.interrupts"},
    {"engine.attempt"},
    {"engine.embedded"},
    {"main"},
    {"orchestrator"},
    {"worker"},
    {"pipeline", "engine.chaos"},
    {"parts", "enrichment"},
    {"sources", "merging", "idempotency", "summary", "manifest"},
    {"csv_format", "sharding", "storage", "engine.payload"},
    {"log"},
    {"settings"},
    {"errors"},
)
# The modules that process data, which must import neither the engine nor the command line.
DATA = LAYERS[-7] - {"engine.chaos"} | LAYERS[-6] | LAYERS[-5] | {"csv_format", "sharding", "storage"}
READING = {"sources", "csv_format", "sharding"}
WRITING = {"parts", "manifest", "storage"}

MAX_MODULE_LINES = 150
MAX_TEAM_LINES = 1_000  # of the default project, without engine/ and cli/


@pytest.fixture(scope="module", params=[{}, {"source_files": "a.csv"}], ids=["customers", "neutral"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    answers: Answers = request.param
    return bake(tmp_path_factory.mktemp("layout"), answers)


def imports(project: BakedProject) -> dict[str, set[str]]:
    """Return the modules of the package by name, each with all modules of the package that it imports."""
    root = project.path / "src" / project.package
    files = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in root.rglob("*.py")}
    names = {name for name in files.values() if not name.endswith("__init__")}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for path, name in files.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                parents = name.split(".")[: -node.level]
                base = ".".join([*parents, *filter(None, [node.module])])
                targets = {base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)} & names
                assert targets, f"{name}: imports something other than a module from {base or 'the package'}"
                assert not name.endswith("__init__"), f"{name}: imports {targets}"
                graph[name] |= targets
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                assert project.package not in ast.unparse(node), f"{name}: an absolute import of the package"
    return graph


def test_there_are_no_circular_imports(project: BakedProject) -> None:
    assert len(list(TopologicalSorter(imports(project)).static_order())) > 20


def test_imports_follow_the_layers(project: BakedProject) -> None:
    depth = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    for name, imported in imports(project).items():
        for other in imported:
            assert depth[other] > depth[name], f"{name} imports {other}"


def test_data_modules_import_neither_the_engine_nor_the_command_line(project: BakedProject) -> None:
    graph = imports(project)
    assert graph.keys() >= DATA
    for name in DATA:
        assert not {other for other in graph[name] if other.startswith(("engine.", "cli."))}, name
    assert {other for other in graph["worker"] if other.startswith("engine.")} == {"engine.chaos"}


def test_reading_modules_do_not_import_writing_modules(project: BakedProject) -> None:
    graph = imports(project)
    for name in READING:
        assert not graph[name] & WRITING, name


def test_every_module_is_short(project: BakedProject) -> None:
    for path in (project.path / "src").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES, path.name


def test_the_part_of_the_default_project_that_a_team_maintains_is_small(
    default_project: BakedProject,
) -> None:
    paths = [path for path in default_project.files() if path.startswith("src/")]
    package = f"src/{default_project.package}"
    machinery = (f"{package}/engine/", f"{package}/cli/")
    lines = {
        path: len(default_project.read(path).splitlines()) for path in paths if not path.startswith(machinery)
    }
    assert len(lines) > 15
    assert sum(lines.values()) < MAX_TEAM_LINES, lines
