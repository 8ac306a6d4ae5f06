"""The template as it is in this working tree, in a git repository of its own, which cruft needs."""

import shutil
from pathlib import Path

from support.git import git
from support.variants import TEMPLATE

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")


def copy_template(directory: Path) -> Path:
    """Copy the template to `template` in a directory, and commit it there."""
    template = directory / "template"
    shutil.copytree(TEMPLATE, template, ignore=NOT_COPIED)
    git(template, "init", "--quiet", "--initial-branch", "main")
    commit_all(template)
    return template


def commit_all(directory: Path) -> None:
    """Commit all changes in a repository."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "A state")
