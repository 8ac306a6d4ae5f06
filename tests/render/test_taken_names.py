"""The names that a project cannot have, because scripts in its environment have them."""

import re
import venv
from importlib import metadata
from pathlib import Path, PurePath

import pytest

import template_answers
from support.baked import BakedProject


def scripts_of(distribution: metadata.Distribution) -> set[str]:
    """Return the names of the programs that an installed distribution has, without .exe."""
    entries = distribution.entry_points.select(group="console_scripts")
    files = [PurePath(file) for file in distribution.files or []]
    programs = [file.name for file in files if file.parent.name in ("bin", "Scripts") and ".." in file.parts]
    return {entry.name for entry in entries} | {re.sub(r"\.exe$", "", name) for name in programs}


def test_scripts_of_all_pinned_distributions_are_taken(default_project: BakedProject) -> None:
    """The list is exact: no script is missing, and each name belongs to a distribution that the project pins."""
    scripts = set()
    pins = re.findall(r"^([\w.-]+)==", default_project.read("constraints.txt"), re.MULTILINE)
    assert {"mypy", "numpy", "pytest", "render", "ruff"} <= set(pins)
    for name in set(pins):
        try:
            scripts |= scripts_of(metadata.distribution(name))
        except metadata.PackageNotFoundError:  # pinned for another system
            assert re.search(
                rf"^{re.escape(name)}==.* ; ", default_project.read("constraints.txt"), re.MULTILINE
            )
    assert scripts == template_answers.TAKEN_SCRIPTS


def test_scripts_of_an_environment_are_refused(tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False)
    [directory] = [path for path in (tmp_path / "bin", tmp_path / "Scripts") if path.is_dir()]
    scripts = {re.sub(r"\.exe$", "", path.name) for path in directory.iterdir()}
    assert {"python", "activate"} <= scripts
    pip = {"pip", "pip3", "pip3.14"}
    others = {
        "python3.14",
        "pythonw",
        "activate.nu",
        "activate_this.py",
        "deactivate.bat",
        "PyTest",
        "py.test",
    }
    for name in scripts | pip | others:
        with pytest.raises(template_answers.AnswerError, match="already"):
            template_answers.check_project_slug(name)


@pytest.mark.parametrize("name", ["python-etl", "pip-metrics", "activated", "pythonic", "mypy-etl", "remote"])
def test_names_that_only_resemble_scripts_are_accepted(name: str) -> None:
    template_answers.check_project_slug(name)
