"""A project rendered from the template, with verbs for what its owner would do with it."""

import csv
import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from cookiecutter.main import cookiecutter

from support import layout, processes
from support.variants import COOKIECUTTER_JSON, TEMPLATE, Answers

PROGRAMS = Path(__file__).parent / "programs"

# Variables that would change what a run in a project does, or what it prints.
_FOREIGN_PREFIXES = ("RENDER_", "PYTEST_", "CHAOS_", "WORKFLOW_", "COV_", "MAKE", "MFLAGS")
_FOREIGN = (
    "DATA_URI",
    "FORCE_COLOR",
    "LOG_FORMAT",
    "OUTPUT_URI",
    "PYTHONDONTWRITEBYTECODE",
    "SHARD_COUNT",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
)


@dataclass(frozen=True)
class BakedProject:
    """A rendered project.

    Attributes:
        path: the project's directory.
        answers: what it was rendered with, defaults included.
    """

    path: Path
    answers: Answers = field(hash=False)

    @property
    def package(self) -> str:
        """The name of the project's Python package."""
        return self.answers["package_name"]

    @property
    def sources(self) -> list[str]:
        """The names of the source files."""
        return [file.strip() for file in self.answers["source_files"].split(",")]

    def module_file(self, name: str) -> str:
        """The path of a module of the package, relative to the project: `pipeline` or `cli/trigger`."""
        return layout.module_file(self.answers, name)

    # Files

    def files(self) -> set[str]:
        """The paths of all files that are the project's own, sample data and output included."""
        return {
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.is_file() and not {"__pycache__", ".git"} & set(path.relative_to(self.path).parts)
        }

    def tree(self) -> dict[str, bytes]:
        """The content of all `files`, by path."""
        return {path: (self.path / path).read_bytes() for path in self.files()}

    def read(self, path: str) -> str:
        """The text of a file, with its line ends as they are."""
        return (self.path / path).read_bytes().decode("utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text in a file; the text must occur exactly once."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path}: {text.count(old)} times {old!r}"
        (self.path / path).write_text(text.replace(old, new), encoding="utf-8", newline="")

    # Commands

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project to its end.

        Args:
            *command: program and arguments; `python` and console scripts are this environment's.
            check: fail the test unless the exit code is 0.
            **environment: variables to add to `project_environment`.
        """
        done = processes.run(command, cwd=self.path, environment=project_environment(**environment))
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def run_program(self, name: str, *arguments: str) -> str:
        """Run a file of `support/programs` in the project and return what it prints."""
        return self.run("python", str(PROGRAMS / f"{name}.py"), *arguments).stdout

    def start(
        self,
        *command: str,
        limit: float = processes.START_SECONDS,
        stdin: Any = subprocess.DEVNULL,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
        **environment: str,
    ) -> AbstractContextManager[subprocess.Popen[str]]:
        """Start a command that the test controls; the process ends with the `with` block, or at its limit.

        Args:
            *command: as for `run`.
            limit: seconds until the process is killed.
            stdin: as for `subprocess.Popen`, and so are `stdout` and `stderr`.
            stdout: a pipe by default.
            stderr: a pipe by default.
            **environment: as for `run`.
        """
        streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        variables = project_environment(**environment)
        return processes.running(command, cwd=self.path, environment=variables, limit=limit, **streams)

    def lint(self) -> list[str]:
        """The complaints of the formatter and of the linter; none if both pass."""
        commands = (["format", "--check", "."], ["check", "--no-cache", "."])
        done = [self.run("ruff", *command, check=False) for command in commands]
        return [each.stdout + each.stderr for each in done if each.returncode]

    def typecheck(self) -> None:
        """Check the project's types; fail the test if there is a complaint."""
        self.run("mypy")

    def run_tests(self) -> None:
        """Run the project's own tests; fail the test unless they pass."""
        self.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")

    def generate(self, rows: int, *options: str) -> None:
        """Write sample data, into `sample_data` unless an option says otherwise."""
        self.run("python", "scripts/generate_data.py", "--rows", str(rows), *options)

    def trigger(self, *options: str, **environment: str) -> dict[str, Any]:
        """Run the sharded ETL on the embedded engine and return its summary."""
        done = self.run("python", "trigger.py", "--local", "--json", *options, check=True, **environment)
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    # Data

    def source_rows(self, file: str) -> list[dict[str, str]]:
        """The rows of a source in `sample_data`, read by the standard library."""
        with (self.path / "sample_data" / file).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def published(self, output: str = "output") -> list[dict[str, Any]]:
        """The rows of the parts that the manifest names, part by part."""
        directory = self.path / output
        parts = [path for path in self._manifest_files(output) if path.endswith(".parquet")]
        return [row for part in parts for row in pq.ParquetFile(directory / part).read().to_pylist()]

    def published_bytes(self, output: str = "output") -> dict[str, bytes]:
        """The content of the manifest, without its time, and of the files that it names, by path."""
        manifest = json.loads(self.read(f"{output}/manifest.json"))
        del manifest["published_at"]
        files = {path: (self.path / output / path).read_bytes() for path in self._manifest_files(output)}
        return {"manifest.json": json.dumps(manifest).encode(), **files}

    def _manifest_files(self, output: str) -> list[str]:
        manifest = json.loads(self.read(f"{output}/manifest.json"))
        return [file["path"] for file in manifest["files"]]


def bake(directory: Path, answers: Answers | None = None, **options: Any) -> BakedProject:
    """Render the template below a directory, as `cookiecutter --no-input` does.

    Args:
        directory: where the project's directory is made.
        answers: answers that differ from the defaults.
        **options: more arguments for `cookiecutter.main.cookiecutter`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = cookiecutter(
        str(TEMPLATE),
        no_input=True,
        extra_context=answers or {},
        output_dir=str(directory),
        default_config=True,
        **options,
    )
    return BakedProject(Path(path), _all_answers(answers or {}, Path(path)))


def run_cookiecutter(
    directory: Path, *arguments: str, typed: str = "", output: str = "output"
) -> subprocess.CompletedProcess[str]:
    """Run the `cookiecutter` command on the template.

    Args:
        directory: gets the command's configuration and its replay file.
        *arguments: options, and answers as `name=value`.
        typed: what a person types at the prompts.
        output: name of the directory in `directory` for the project.
    """
    config = directory / "config.yaml"
    config.write_text(f"cookiecutters_dir: {directory}\nreplay_dir: {directory}\n", encoding="utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--config-file", str(config)]
    command += ["--output-dir", str(directory / output), *arguments]
    return processes.run(command, cwd=directory, environment={**os.environ, "PYTHONUTF8": "1"}, typed=typed)


def without_times(summary: dict[str, Any]) -> dict[str, Any]:
    """Return a run's summary without what differs from run to run: the elapsed time of each shard."""
    return {**summary, "shards": [{**shard, "elapsed_ms": None} for shard in summary["shards"]]}


def project_environment(**environment: str) -> dict[str, str]:
    """This environment, with its own interpreter first and without variables that would change a run.

    Args:
        **environment: variables to add.
    """
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN_PREFIXES) and name not in _FOREIGN
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
    return {**own, "PATH": path, "PYTHONPATH": "src", "PYTHONUTF8": "1", **environment}


def _all_answers(answers: Answers, path: Path) -> Answers:
    """The answers of a project, defaults included; both names are read from the project itself."""
    complete = {
        name: value[0] if isinstance(value, list) else {True: "yes", False: "no"}.get(value, value)
        for name, value in COOKIECUTTER_JSON.items()
        if not name.startswith("_")
    }
    complete |= answers
    complete["project_slug"] = path.name
    complete["package_name"] = next(package.name for package in (path / "src").iterdir())
    return complete
