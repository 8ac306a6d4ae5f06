"""Every combination of all choices renders a clean project."""

import hashlib
import shutil
from pathlib import Path

import pytest

from support.baked import BakedProject, bake
from support.static_checks import complaints
from support.variants import every_combination, label

BATCHES = 11  # no number of choices divides it, so each batch has every value of every choice
LINTED: set[str] = set()  # shared by the batches that run in the same process


@pytest.mark.parametrize("batch", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, BATCHES))])
def test_every_combination_renders_clean(batch: int, tmp_path: Path) -> None:
    """Checks the files, syntax, whitespace, format, lint and dependencies of every combination."""
    problems: list[str] = []
    for number, answers in enumerate(every_combination()):
        if number % BATCHES != batch:
            continue
        project = bake(tmp_path / str(number), answers, accept_hooks=False)
        problems += [f"{label(answers)}: {complaint}" for complaint in complaints(project)]
        # Many variants differ only in files other than Python: each set of Python files is linted once.
        fingerprint = python_fingerprint(project)
        if fingerprint not in LINTED:
            LINTED.add(fingerprint)
            problems += [f"{label(answers)}: {complaint}" for complaint in project.lint()]
        shutil.rmtree(project.path)
    assert LINTED
    assert not problems, "\n".join(problems[:20])


def python_fingerprint(project: BakedProject) -> str:
    """Return a digest of all files that the linter reads."""
    text = "".join(
        f"{path}\n{project.read(path)}"
        for path in sorted(project.files())
        if path.endswith((".py", "pyproject.toml"))
    )
    return hashlib.sha256(text.encode()).hexdigest()
