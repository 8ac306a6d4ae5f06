"""Bring everything that is pinned to its newest version: `make pins`.

What is pinned, and where its versions come from:

- Python packages, in both `constraints.txt`: uv resolves them for every supported Python and system at once.
- Actions, in all workflow files: the newest release tag of each action's repository, written as a commit.
- Hooks, in both pre-commit files: the version that `constraints.txt` has of the same tool, so that a commit and
  CI are checked alike. A hook without such a tool follows the newest release tag of its repository.
- Python releases, in `cookiecutter.json`: the newest ones that the pinned uv knows.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = "{{cookiecutter.project_slug}}"
LOWEST_PYTHON = "3.11"
GITHUB = "https://github.com"

# The Python package that has the same versions as a hook's repository.
PACKAGES_OF_HOOKS = {
    "astral-sh/ruff-pre-commit": "ruff",
    "crate-ci/typos": "typos",
    "zizmorcore/zizmor-pre-commit": "zizmor",
}

USED_ACTION = re.compile(r"uses: ([\w.-]+/[\w.-]+)([\w./-]*)@\S+ # v\S+")
USED_HOOKS = re.compile(rf"- repo: {GITHUB}/(\S+)\n +rev: (\S+)")


class PinError(Exception):
    """Something cannot be refreshed; the text says what, and what to do."""


@dataclass(frozen=True, order=True)
class Release:
    """A stable release of a repository.

    Attributes:
        version: major, minor and patch number.
        commit: the commit that its tag leads to, 40 hexadecimal digits.
    """

    version: tuple[int, int, int]
    commit: str

    @property
    def tag(self) -> str:
        """The name of the tag, such as `v6.0.2`."""
        return "v{}.{}.{}".format(*self.version)


def run(command: Sequence[str], cwd: Path = HERE) -> str:
    """Run a command without a terminal and return what it printed.

    Raises:
        PinError: if it fails or takes more than ten minutes; the message ends with its errors, on one line.
    """
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", timeout=600
        )
    except subprocess.TimeoutExpired:
        raise PinError(f"{' '.join(command)} did not end within ten minutes") from None
    if done.returncode != 0:
        errors = " ".join(done.stderr.split()) or "it printed no error"
        raise PinError(f"{' '.join(command)} ended with {done.returncode}: {errors.rstrip('.')}")
    return done.stdout


# Release tags: actions and hooks


def newest_release(listing: str) -> Release | None:
    """Find the newest stable release in the output of `git ls-remote --tags`.

    Args:
        listing: lines of a commit, a tab and a reference. An annotated tag has two: its own object's, and one
            that ends in `^{}` and has the commit.

    Returns:
        The release with the highest vX.Y.Z, or None if no tag has that form.
    """
    commits: dict[str, str] = {}
    for commit, reference in re.findall(r"^(\w+)\trefs/tags/(\S+)$", listing, re.MULTILINE):
        tag = reference.removesuffix("^{}")
        if tag != reference or tag not in commits:
            commits[tag] = commit
    releases = []
    for tag, commit in commits.items():
        if numbers := re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", tag):
            major, minor, patch = map(int, numbers.groups())
            releases.append(Release((major, minor, patch), commit))
    return max(releases, default=None)


def ask_for_release(repository: str, base_url: str) -> Release:
    """Ask a repository for its newest stable release.

    Args:
        repository: owner and name, such as `actions/checkout`.
        base_url: what stands before them in the address of the repository.

    Raises:
        PinError: if the repository does not answer or has no tag of the form vX.Y.Z.
    """
    address = f"{base_url}/{repository}"
    release = newest_release(run(["git", "ls-remote", "--tags", address]))
    if release is None:
        raise PinError(f"{address} has no tag of the form vX.Y.Z")
    return release


def workflow_files(root: Path) -> list[Path]:
    """List the workflow files of the template at `root` and of its rendered project."""
    return [
        path
        for tree in (root, root / PROJECT)
        for path in sorted((tree / ".github" / "workflows").glob("*.y*ml"))
    ]


def hook_files(root: Path) -> list[Path]:
    """List the pre-commit files of the template at `root` and of its rendered project."""
    return [tree / ".pre-commit-config.yaml" for tree in (root, root / PROJECT)]


def repositories_to_ask(root: Path) -> set[str]:
    """List the repositories whose tags are the versions of an action or of a hook."""
    actions = {use[1] for path in workflow_files(root) for use in USED_ACTION.finditer(read(path))}
    hooks = {use[1] for path in hook_files(root) for use in USED_HOOKS.finditer(read(path))}
    return actions | (hooks - set(PACKAGES_OF_HOOKS))


def with_newest_actions(workflow: str, releases: Mapping[str, Release]) -> str:
    """Return a workflow whose actions are pinned to the releases of their repositories."""

    def pin(use: re.Match[str]) -> str:
        release = releases[use[1]]
        return f"uses: {use[1]}{use[2]}@{release.commit} # {release.tag}"

    return USED_ACTION.sub(pin, workflow)


def with_newest_hooks(hooks: str, tags: Mapping[str, str]) -> str:
    """Return a pre-commit file whose hooks have the tags of their repositories; others keep theirs."""
    return USED_HOOKS.sub(lambda use: f"{use[0].removesuffix(use[2])}{tags.get(use[1], use[2])}", hooks)


# Python packages


def requirements_of_all_variants(root: Path = HERE) -> list[str]:
    """List every requirement in the rendered project's pyproject.toml, whatever the answers are."""
    template = read(root / PROJECT / "pyproject.toml")
    quoted = re.findall(r'^    "([\w-]+[<>=][^"]*)",$', template, re.MULTILINE)
    build = re.findall(r'^requires = \["([^"]+)"\]$', template, re.MULTILINE)
    return [*quoted, *build]


def compile_pins(root: Path, target: Path, *arguments: str) -> None:
    """Resolve requirements for all supported versions of Python, on any system.

    The output has no header and no comments: they would change although no version does. Only wheels count, so
    that resolving runs no code of a package.

    Args:
        root: the template's directory, where uv finds the dependency groups.
        target: file that the pins are written to.
        arguments: files and options that tell uv what to resolve.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--universal"]
    options = ["--python-version", LOWEST_PYTHON, "--only-binary", ":all:", "--no-header", "--no-annotate"]
    run([*command, *options, "--output-file", str(target), *arguments], cwd=root)


def refresh_constraints(root: Path) -> None:
    """Write both files of constraints; the template's own agrees with the rendered project's."""
    rendered = root / PROJECT / "constraints.txt"
    with tempfile.TemporaryDirectory() as directory:
        wanted = Path(directory, "requirements.in")
        wanted.write_text("\n".join(requirements_of_all_variants(root)) + "\n", encoding="utf-8")
        compile_pins(root, rendered, str(wanted))
    compile_pins(root, root / "constraints.txt", "--group", "test", "-c", str(rendered))


def pinned_version(constraints: str, package: str) -> str:
    """Return the version that a file of constraints has of a package.

    Raises:
        PinError: if the package has no pin or more than one.
    """
    versions = re.findall(rf"^{re.escape(package)}==([^\s;]+)", constraints, re.MULTILINE)
    if len(versions) != 1:
        raise PinError(f"constraints.txt needs one pin of {package}, it has {len(versions)}")
    return str(versions[0])


# Python releases


def list_pythons(uv: Sequence[str]) -> str:
    """Return uv's built-in list of Python downloads as JSON; this needs no network.

    Args:
        uv: the command that starts uv.
    """
    return run([*uv, "python", "list", "--all-versions", "--only-downloads", "--output-format", "json"])


def newest_pythons(listing: str) -> dict[str, str]:
    """Return the newest stable CPython release of each minor version in uv's list.

    Args:
        listing: the JSON of `list_pythons`; prereleases, other builds and other interpreters are left out.

    Returns:
        Minor versions and their releases, such as `{"3.13": "3.13.5"}`.
    """
    newest: dict[str, tuple[int, ...]] = {}
    for build in json.loads(listing):
        if (build["implementation"], build["variant"]) != ("cpython", "default"):
            continue
        if re.fullmatch(r"\d+\.\d+\.\d+", build["version"]):
            numbers = tuple(int(number) for number in build["version"].split("."))
            minor = "{}.{}".format(*numbers)
            newest[minor] = max(numbers, newest.get(minor, ()))
    return {minor: ".".join(map(str, numbers)) for minor, numbers in newest.items()}


def with_newest_pythons(cookiecutter_json: str, releases: Mapping[str, str]) -> str:
    """Return cookiecutter.json with the releases in `__python_release`.

    Raises:
        PinError: if a Python that can be chosen has no release.
    """
    minors = json.loads(cookiecutter_json)["python_version"]
    if missing := [minor for minor in minors if minor not in releases]:
        raise PinError(f"uv knows no stable release of Python {', '.join(missing)}")
    table = ", ".join(f"'{minor}': '{releases[minor]}'" for minor in minors)
    text, found = re.subn(
        r'("__python_release": "\{\{ \{)[^}]*(\}\[)', rf"\g<1>{table}\g<2>", cookiecutter_json
    )
    if found != 1:
        raise PinError("cookiecutter.json has no table of releases in __python_release")
    return text


# All of it


def read(path: Path) -> str:
    """Return the text of a file."""
    return path.read_text(encoding="utf-8")


def write(path: Path, text: str) -> None:
    """Write a file's text with the line ends that it has in the repository."""
    path.write_text(text, encoding="utf-8", newline="\n")


def refresh(root: Path, releases: Mapping[str, Release]) -> None:
    """Refresh every pin of the template at `root`.

    Args:
        root: the template's directory.
        releases: what `ask_for_release` has answered for each repository; without an answer, the actions and
            hooks of a repository keep their versions.
    """
    refresh_constraints(root)
    constraints = read(root / "constraints.txt")
    uv = [sys.executable, "-m", "uv", "tool", "run", "--quiet", f"uv@{pinned_version(constraints, 'uv')}"]
    answers = root / "cookiecutter.json"
    write(answers, with_newest_pythons(read(answers), newest_pythons(list_pythons(uv))))
    refresh_actions_and_hooks(root, releases)


def refresh_actions_and_hooks(root: Path, releases: Mapping[str, Release]) -> None:
    """Rewrite workflow files by `releases`, and pre-commit files by them and by the pinned packages."""
    constraints = read(root / "constraints.txt")
    tags = {repository: release.tag for repository, release in releases.items()}
    for repository, package in PACKAGES_OF_HOOKS.items():
        tags[repository] = f"v{pinned_version(constraints, package)}"
    if releases:
        for path in workflow_files(root):
            write(path, with_newest_actions(read(path), releases))
    for path in hook_files(root):
        write(path, with_newest_hooks(read(path), tags))


def main(arguments: Sequence[str] | None = None) -> None:
    """Refresh everything, or stop with one line before anything is written if a repository does not answer."""
    parser = argparse.ArgumentParser(description="Bring everything that is pinned to its newest version.")
    parser.add_argument(
        "--without-tags",
        action="store_true",
        help="ask no repository for its tags; for machines without GitHub",
    )
    options = parser.parse_args(arguments)
    releases: dict[str, Release] = {}
    try:
        if options.without_tags:
            print("Actions and pre-commit-hooks keep their versions: no repository is asked for its tags.")
        else:
            releases = {name: ask_for_release(name, GITHUB) for name in sorted(repositories_to_ask(HERE))}
    except PinError as error:
        sys.exit(
            f"make pins: {error}. Nothing has changed; "
            "to refresh all that needs no tags, run .venv/bin/python refresh_pins.py --without-tags"
        )
    try:
        refresh(HERE, releases)
    except PinError as error:
        sys.exit(f"make pins: {error}. Some files may have changed; look at them with git diff")


if __name__ == "__main__":
    main()
