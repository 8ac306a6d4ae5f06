"""Sample data stands in for sources that are missing, and for no others: `make`, git, and the Blueprint's build."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from support.baked import BakedProject, bake
from support.git import git

REAL = "account_id,email\nkey_00000001,real@example.com\n"
FILES = ("crm.csv", "billing.csv", "product.csv", "support.csv")


@pytest.fixture
def project(bake_project: Callable[..., BakedProject]) -> BakedProject:
    """A project of one shard without data, whose rules need no certain column."""
    return bake_project(shard_count="1", retry_wait_ms="0", key_column="account_id")


@pytest.fixture
def customer_project(bake_project: Callable[..., BakedProject]) -> BakedProject:
    """A project of one shard without data, whose sample columns are made for its four sources."""
    return bake_project(shard_count="1", retry_wait_ms="0")


def make(project: BakedProject, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a target in this environment; the project's own counts as installed."""
    scripts = Path(sys.executable).parent
    options = ("--old-file", ".venv/installed", f"BIN={scripts}", "ROWS=30")
    return project.run("make", target, *options, check=False, **environment)


def put(project: BakedProject, path: str, text: str = REAL) -> None:
    file = project.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def commit_all(project: BakedProject) -> None:
    git(project.path, "init", "--quiet", "--initial-branch", "main")
    git(project.path, "add", "--all")
    git(project.path, "commit", "--quiet", "--message", "All")


def status(project: BakedProject) -> list[str]:
    return git(project.path, "status", "--porcelain", "--untracked-files=all", "sample_data").splitlines()


def build(project: BakedProject) -> str:
    """Run what the Blueprint's build does after the installation, with the Blueprint's variables."""
    [service] = yaml.safe_load(project.read("render.yaml"))["services"]
    install, _, rest = service["buildCommand"].partition(" && ")
    assert install.startswith("pip install ")
    variables = {variable["key"]: variable["value"] for variable in service["envVars"]}
    return project.run("bash", "-euc", rest, **variables).stdout


# make


def test_make_run_makes_sample_data_once(project: BakedProject) -> None:
    done = make(project, "run")
    assert done.returncode == 0, done.stderr
    assert "Merged 30 enriched profiles" in done.stdout
    before = {path: path.stat().st_mtime_ns for path in (project.path / "sample_data").iterdir()}

    again = make(project, "run")

    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (project.path / "sample_data").iterdir()} == before


def test_make_run_adds_what_is_missing_to_the_team_s_files(project: BakedProject) -> None:
    put(project, "sample_data/crm.csv")

    done = make(project, "run")

    assert done.returncode == 0, done.stderr
    assert "made: billing.csv, product.csv, support.csv\nkept: crm.csv\n" in done.stdout
    assert project.read("sample_data/crm.csv") == REAL
    assert [row["crm_email"] for row in project.published() if row["crm_email"]] == ["real@example.com"]


def test_make_data_does_not_replace_the_team_s_file(project: BakedProject) -> None:
    put(project, "sample_data/support.csv")

    done = make(project, "data")

    assert done.returncode == 2
    assert "error: sample_data/support.csv: not made by scripts/generate_data.py" in done.stderr
    assert {path.name for path in (project.path / "sample_data").iterdir()} == {"support.csv"}
    assert project.read("sample_data/support.csv") == REAL


def test_make_run_makes_a_source_that_the_team_has_added(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project(source_files="orders.csv", key_column="user_id", shard_count="1")
    assert make(project, "run").returncode == 0
    orders = project.read("sample_data/orders.csv")
    project.edit(
        project.module_file("settings"), '    "orders.csv",\n', '    "orders.csv",\n    "clicks.csv",\n'
    )

    done = make(project, "run")

    assert done.returncode == 0, done.stderr
    assert "made: clicks.csv\nkept: orders.csv\n" in done.stdout
    assert project.read("sample_data/orders.csv") == orders
    assert all(row["clicks_name"] and row["orders_name"] for row in project.published())


def test_make_run_says_what_an_added_source_needs(customer_project: BakedProject) -> None:
    project = customer_project
    assert make(project, "run").returncode == 0
    before = project.tree()
    settings = project.module_file("settings")
    project.edit(settings, '    "support.csv",\n', '    "support.csv",\n    "orders.csv",\n')

    done = make(project, "run")

    assert done.returncode == 2
    [error] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(
        "error: orders.csv: in SOURCE_FILES, but without columns in scripts/sample_columns.py"
    )
    assert "run `make data`" in error
    assert "or set DATA_URI" in error
    assert project.tree() == {**before, settings: (project.path / settings).read_bytes()}


def test_make_run_with_data_uri_makes_nothing(project: BakedProject) -> None:
    project.generate(20, "--out", "real")
    (project.path / "real" / "product.csv").unlink()
    before = {path: content for path, content in project.tree().items() if path.startswith("real/")}

    done = make(project, "run", DATA_URI="real")

    assert done.returncode == 2
    assert "real lacks product.csv: put your own there, or run python scripts/generate_data.py" in done.stdout
    assert "product.csv: there is no such file in DATA_URI" in done.stderr
    assert not (project.path / "sample_data").exists()
    assert {path: (project.path / path).read_bytes() for path in before} == before
    command = done.stdout.partition("or run ")[2].splitlines()[0]
    project.run(*command.split())
    assert make(project, "run", DATA_URI="real").returncode == 0


# git


def test_git_sees_the_team_s_files_and_no_sample_data(project: BakedProject) -> None:
    commit_all(project)
    project.generate(20)
    assert status(project) == []

    put(project, "sample_data/orders.csv")
    put(project, "sample_data/README.md")
    assert status(project) == ["?? sample_data/README.md", "?? sample_data/orders.csv"]


def test_git_sees_a_real_file_in_place_of_sample_data(project: BakedProject) -> None:
    commit_all(project)
    assert make(project, "run").returncode == 0
    put(project, "sample_data/crm.csv")

    assert make(project, "run").returncode == 0

    assert status(project) == ["?? sample_data/crm.csv"]
    for file in FILES:
        put(project, f"sample_data/{file}")
    assert make(project, "run").returncode == 0
    assert status(project) == [f"?? sample_data/{file}" for file in sorted(FILES)]


def test_git_ignores_no_other_file_than_the_sample_s(tmp_path: Path) -> None:
    """Characters that mean something in a .gitignore stand for themselves."""
    names = ["[ab].csv", "!c.csv", "#d.csv", "e f.csv", "büro.csv"]
    project = bake(tmp_path, {"source_files": ", ".join(names), "key_column": "id"})
    commit_all(project)

    project.generate(5)

    assert status(project) == []
    put(project, "sample_data/a.csv")
    put(project, "sample_data/more/e f.csv")
    assert status(project) == ["?? sample_data/a.csv", '?? "sample_data/more/e f.csv"']


# The Blueprint's build


def test_a_build_keeps_committed_sources(project: BakedProject, tmp_path: Path) -> None:
    """A team commits one real source; Render clones the repository and builds."""
    put(project, "sample_data/crm.csv")
    commit_all(project)
    git(tmp_path, "clone", "--quiet", str(project.path), "clone")
    clone = BakedProject(tmp_path / "clone", project.answers)

    printed = build(clone)

    assert "made: billing.csv, product.csv, support.csv\nkept: crm.csv\n" in printed
    assert clone.read("sample_data/crm.csv") == REAL
    assert status(clone) == []
    assert len(clone.source_rows("billing.csv")) == 1000


def test_a_build_with_all_sources_committed_changes_nothing(project: BakedProject) -> None:
    for file in FILES:
        put(project, f"sample_data/{file}")
    commit_all(project)
    before = project.tree()

    assert "made: none\n" in build(project)

    assert project.tree() == before


def test_a_build_needs_no_sample_columns_for_data_of_the_team(customer_project: BakedProject) -> None:
    """The sources are in the repository, in another directory, and one of them is new."""
    project = customer_project
    project.edit(
        project.module_file("settings"), '    "support.csv",\n', '    "support.csv",\n    "orders.csv",\n'
    )
    project.edit("render.yaml", "value: sample_data", "value: real")
    put(project, "real/orders.csv")

    build(project)

    assert not (project.path / "sample_data").exists()
    assert {path.name for path in (project.path / "real").iterdir()} == {"orders.csv"}
