"""`make pins`, and what is pinned: the versions agree, and every pin can be installed."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import refresh_pins
from refresh_pins import PinError, Release
from support.baked import BakedProject
from support.git import git
from support.variants import COOKIECUTTER_JSON, TEMPLATE

PROJECT = TEMPLATE / refresh_pins.PROJECT
CONSTRAINTS = (TEMPLATE / "constraints.txt", PROJECT / "constraints.txt")
UV = [sys.executable, "-m", "uv"]
OLD, NEW, ANNOTATED = "1" * 40, "2" * 40, "3" * 40


# Tags


@pytest.mark.parametrize(
    ("tags", "newest"),
    [
        (["v1.2.3"], "v1.2.3"),
        (["v9.0.0", "v10.0.0"], "v10.0.0"),
        (["v1.2.3", "v1", "v2", "v1.3.0-rc.1", "v2.0.0b1", "2.0.0", "x-v3.0.0"], "v1.2.3"),
        (["v1", "main"], None),
        ([], None),
    ],
)
def test_newest_release_is_the_highest_stable_one(tags: list[str], newest: str | None) -> None:
    listing = "".join(f"{NEW}\trefs/tags/{tag}\n" for tag in tags)
    release = refresh_pins.newest_release(listing)
    assert (release.tag if release else None) == newest


@pytest.mark.parametrize("reverse", [False, True])
def test_annotated_tag_leads_to_its_commit(reverse: bool) -> None:
    lines = [f"{ANNOTATED}\trefs/tags/v1.0.0\n", f"{NEW}\trefs/tags/v1.0.0^{{}}\n"]
    listing = "".join(sorted(lines, reverse=reverse))
    assert refresh_pins.newest_release(listing) == Release((1, 0, 0), NEW)


class Remotes:
    """Local git repositories that stand in for those on GitHub."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.base_url = directory.as_uri()

    def git(self, repository: str, *arguments: str) -> str:
        return git(self.directory / repository, *arguments)

    def release(self, repository: str, tag: str, *options: str) -> str:
        """Make a commit and a tag, and return the commit."""
        path = self.directory / repository
        if not path.is_dir():
            path.mkdir(parents=True)
            self.git(repository, "init", "--quiet")
        self.git(repository, "commit", "--quiet", "--allow-empty", "--message", tag)
        self.git(repository, "tag", tag, *options)
        return self.git(repository, "rev-parse", "HEAD")


@pytest.fixture
def remotes(tmp_path: Path) -> Remotes:
    return Remotes(tmp_path / "remotes")


def test_repository_is_asked_for_its_newest_release(remotes: Remotes) -> None:
    remotes.release("actions/checkout", "v6.0.2")
    newest = remotes.release("actions/checkout", "v6.0.10", "--annotate", "--message", "Release")
    remotes.release("actions/checkout", "v7.0.0-beta.1")
    assert remotes.git("actions/checkout", "rev-parse", "v6.0.10") != newest, "the tag has its own object"
    release = refresh_pins.ask_for_release("actions/checkout", remotes.base_url)
    assert release == Release((6, 0, 10), newest)


def test_repository_that_does_not_answer_is_named_on_one_line(remotes: Remotes) -> None:
    remotes.release("actions/untagged", "main-1")
    with pytest.raises(PinError, match=r"actions/untagged has no tag of the form vX\.Y\.Z$"):
        refresh_pins.ask_for_release("actions/untagged", remotes.base_url)
    with pytest.raises(
        PinError, match=r"^git ls-remote --tags \S+/actions/missing ended with 128: ."
    ) as raised:
        refresh_pins.ask_for_release("actions/missing", remotes.base_url)
    assert "\n" not in str(raised.value)


def copy_of_pinned_files(directory: Path) -> Path:
    """Copy all files that `make pins` reads or writes."""
    files = [TEMPLATE / "cookiecutter.json", TEMPLATE / "pyproject.toml", PROJECT / "pyproject.toml"]
    files += [*CONSTRAINTS, *refresh_pins.workflow_files(TEMPLATE), *refresh_pins.hook_files(TEMPLATE)]
    for file in files:
        copy = directory / file.relative_to(TEMPLATE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return directory


def test_actions_and_hooks_of_both_trees_are_refreshed(tmp_path: Path, remotes: Remotes) -> None:
    root = copy_of_pinned_files(tmp_path / "template")
    repositories = refresh_pins.repositories_to_ask(root)
    assert {"actions/checkout", "actions/setup-python", "pre-commit/pre-commit-hooks"} <= repositories
    commits = {name: remotes.release(name, "v99.1.0") for name in repositories}
    constraints = root / "constraints.txt"
    text = re.sub(r"^ruff==.*", "ruff==98.7.6", constraints.read_text(encoding="utf-8"), flags=re.MULTILINE)
    constraints.write_text(text, encoding="utf-8")

    releases = {name: refresh_pins.ask_for_release(name, remotes.base_url) for name in repositories}
    refresh_pins.refresh_actions_and_hooks(root, releases)

    for path in refresh_pins.workflow_files(root):
        before = (TEMPLATE / path.relative_to(root)).read_text(encoding="utf-8")
        after = path.read_text(encoding="utf-8")
        used = re.findall(r"uses: (\S+)@(\S+) # (\S+)", after)
        assert used
        assert [(commits[name], "v99.1.0") for name, _, _ in used] == [(c, v) for _, c, v in used]
        assert re.sub(r"@.*", "", after) == re.sub(r"@.*", "", before), "only versions change"
    own, rendered = (path.read_text(encoding="utf-8") for path in refresh_pins.hook_files(root))
    assert re.findall(r"rev: (\S+)", own)[:2] == ["v99.1.0", "v98.7.6"]
    assert re.findall(r"rev: (\S+)", rendered) == ["v98.7.6"]


def test_action_in_a_subdirectory_keeps_its_path() -> None:
    workflow = f"- uses: github/codeql-action/init@{OLD} # v1.0.0\n- uses: ./local\n"
    releases = {"github/codeql-action": Release((4, 0, 0), NEW)}
    expected = f"- uses: github/codeql-action/init@{NEW} # v4.0.0\n- uses: ./local\n"
    assert refresh_pins.with_newest_actions(workflow, releases) == expected


def test_without_tags_actions_keep_their_versions(tmp_path: Path) -> None:
    root = copy_of_pinned_files(tmp_path)
    refresh_pins.refresh_actions_and_hooks(root, {})
    for path in [*refresh_pins.workflow_files(root), *refresh_pins.hook_files(root)]:
        assert path.read_bytes() == (TEMPLATE / path.relative_to(root)).read_bytes()


# Python releases


def test_python_releases_are_the_newest_that_the_pinned_uv_knows() -> None:
    releases = refresh_pins.newest_pythons(refresh_pins.list_pythons(UV))
    answers = (TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8")
    assert refresh_pins.with_newest_pythons(answers, releases) == answers
    for minor in COOKIECUTTER_JSON["python_version"]:
        assert re.fullmatch(rf"{re.escape(minor)}\.\d+", releases[minor])
        assert f"'{minor}': '{releases[minor]}'" in COOKIECUTTER_JSON["__python_release"]


def test_python_releases_are_stable_default_builds_of_cpython() -> None:
    builds = [
        ("cpython", "default", "3.13.9"),
        ("cpython", "default", "3.13.10"),
        ("cpython", "default", "3.13.11rc1"),
        ("cpython", "freethreaded", "3.13.12"),
        ("pypy", "default", "3.13.13"),
        ("cpython", "default", "3.14.0a1"),
    ]
    listing = [dict(zip(("implementation", "variant", "version"), build, strict=True)) for build in builds]
    assert refresh_pins.newest_pythons(json.dumps(listing)) == {"3.13": "3.13.10"}


def test_python_releases_are_written_for_every_choice() -> None:
    answers = (TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8")
    releases = {minor: f"{minor}.77" for minor in COOKIECUTTER_JSON["python_version"]}
    table = json.loads(refresh_pins.with_newest_pythons(answers, releases))["__python_release"]
    assert re.findall(r"'(\S+)': '(\S+)'", table) == list(releases.items())
    with pytest.raises(PinError, match=r"uv knows no stable release of Python 3\.13$"):
        refresh_pins.with_newest_pythons(answers, {m: r for m, r in releases.items() if m != "3.13"})


# Python packages


def test_requirements_of_every_variant_are_resolved(bake_project: Callable[..., BakedProject]) -> None:
    """`make pins` resolves the requirements of all variants, and no others."""
    asked = set()
    for package in ("render", "render_sdk"):
        project = tomllib.loads(
            bake_project(render_package=package, project_slug=package + "-x").read("pyproject.toml")
        )
        asked |= {*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]}
        asked |= {*project["build-system"]["requires"]}
    assert sorted(asked) == sorted(refresh_pins.requirements_of_all_variants())


def test_both_files_of_constraints_agree() -> None:
    own, rendered = (versions(path.read_text(encoding="utf-8")) for path in CONSTRAINTS)
    assert rendered <= own


def versions(pins: str) -> set[str]:
    """Return each pin as `name==version`, without its marker, because the markers of the two files differ."""
    return {line.partition(" ;")[0] for line in pins.splitlines()}


def test_hooks_have_the_versions_of_the_pinned_tools() -> None:
    pins = CONSTRAINTS[0].read_text(encoding="utf-8")
    tools = {
        f"{refresh_pins.GITHUB}/{repository}": f"v{refresh_pins.pinned_version(pins, package)}"
        for repository, package in refresh_pins.PACKAGES_OF_HOOKS.items()
    }
    own, rendered = (
        dict(re.findall(r"repo: (\S+)\n +rev: (\S+)", path.read_text(encoding="utf-8")))
        for path in refresh_pins.hook_files(TEMPLATE)
    )
    hygiene = own.pop(f"{refresh_pins.GITHUB}/pre-commit/pre-commit-hooks")
    assert re.fullmatch(r"v\d+\.\d+\.\d+", hygiene)
    assert own == tools
    assert rendered == {url: tag for url, tag in tools.items() if "ruff" in url}


@pytest.mark.parametrize("pins", ["", "ruff==1 ; python_version < '3.12'\nruff==2\n", "ruffian==1\n"])
def test_version_of_a_tool_needs_exactly_one_pin(pins: str) -> None:
    with pytest.raises(PinError, match="needs one pin of ruff"):
        refresh_pins.pinned_version(pins, "ruff")


def missing_wheels(directory: Path, python: str, system: str, *files: Path) -> str:
    """Resolve pins from wheels alone, for another Python and system; return uv's error, or nothing."""
    options = ["--no-deps", "--only-binary", ":all:", "--python-version", python, "--python-platform", system]
    # With an interpreter named, uv does not look for one of the version that it resolves for.
    command = [*UV, "pip", "compile", "--quiet", "--python", sys.executable, *options, *map(str, files)]
    done = subprocess.run(
        [*command, "--output-file", str(directory / "pins.txt")],
        cwd=directory,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert (done.returncode == 0) == (not done.stderr), done
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("system", ["linux", "aarch64-unknown-linux-gnu", "macos", "windows"])
def test_every_pin_has_a_wheel_for_every_python(system: str, tmp_path: Path) -> None:
    for python in COOKIECUTTER_JSON["python_version"]:
        assert not missing_wheels(tmp_path, python, system, *CONSTRAINTS), python


@pytest.mark.slow
@pytest.mark.parametrize("system", ["linux", "macos", "windows"])
def test_pin_without_a_wheel_is_found(system: str, tmp_path: Path) -> None:
    """numpy 2.2.0 is older than Python 3.14: it has wheels for 3.13 and none for 3.14."""
    (tmp_path / "old.txt").write_text("numpy==2.2.0\n")
    assert not missing_wheels(tmp_path, "3.13", system, tmp_path / "old.txt")
    assert "numpy==2.2.0 has no usable wheels" in missing_wheels(
        tmp_path, "3.14", system, tmp_path / "old.txt"
    )


@pytest.mark.slow
def test_refresh_writes_constraints_that_resolve(tmp_path: Path) -> None:
    """Runs `make pins` without the look-up of tags, on a copy with outdated pins."""
    root = copy_of_pinned_files(tmp_path)
    for name in ("constraints.txt", f"{refresh_pins.PROJECT}/constraints.txt"):
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(re.sub(r"^ruff==.*", "ruff==0.17.0", text, flags=re.MULTILINE))
    answers = (root / "cookiecutter.json").read_text(encoding="utf-8")
    (root / "cookiecutter.json").write_text(re.sub(r"'3.13': '[\d.]+'", "'3.13': '3.13.1'", answers))
    refresh_pins.refresh(root, {})
    own, rendered = (versions((root / path.relative_to(TEMPLATE)).read_text("utf-8")) for path in CONSTRAINTS)
    assert rendered <= own
    [ruff] = [pin for pin in own if pin.startswith("ruff==")]
    assert ruff != "ruff==0.17.0"
    assert f"rev: v{ruff.removeprefix('ruff==')}\n" in (root / ".pre-commit-config.yaml").read_text("utf-8")
    assert "'3.13': '3.13.1'" not in (root / "cookiecutter.json").read_text("utf-8")


# The command


def test_command_stops_on_one_line_if_github_does_not_answer(tmp_path: Path) -> None:
    """git is configured to replace every address on GitHub with a directory that does not exist."""
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "{tmp_path.as_uri()}/none/"]\n\tinsteadOf = {refresh_pins.GITHUB}/\n')
    before = {path: path.read_bytes() for path in [*CONSTRAINTS, *refresh_pins.workflow_files(TEMPLATE)]}
    done = subprocess.run(
        [sys.executable, "refresh_pins.py"],
        cwd=TEMPLATE,
        env={"PATH": str(Path(shutil.which("git") or "").parent), "GIT_CONFIG_GLOBAL": str(config)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(
        "make pins: git ls-remote --tags https://github.com/actions/checkout ended with 128"
    )
    assert line.endswith(
        "Nothing has changed; to refresh all that needs no tags, run .venv/bin/python refresh_pins.py --without-tags"
    )
    assert before == {path: path.read_bytes() for path in before}
