"""A project rendered from the template, with verbs for what its owner would do with it."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from cookiecutter.main import cookiecutter

from variants import TEMPLATE, Answers


@dataclass(frozen=True)
class BakedProject:
    """A rendered project and the answers that it was rendered with, defaults included."""

    path: Path
    answers: Answers = field(hash=False)

    @property
    def package(self) -> str:
        return self.answers["package_name"]

    @property
    def sources(self) -> list[str]:
        return [file.strip() for file in self.answers["source_files"].split(",")]

    def files(self) -> set[str]:
        """The paths of all files that are the project's own, sample data and output included."""
        return {
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.is_file() and not {"__pycache__", ".git"} & set(path.relative_to(self.path).parts)
        }

    def read(self, path: str) -> str:
        """A file's text, line ends as they are."""
        return (self.path / path).read_bytes().decode("utf-8")

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; `python` and console scripts are this environment's."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=project_environment(**environment),
            capture_output=True,
            encoding="utf-8",
            timeout=600,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def generate(self, rows: int, *options: str) -> None:
        """Make sample data in the project's default place."""
        self.run("python", "scripts/generate_data.py", "--rows", str(rows), *options)

    def trigger(self, *options: str, check: bool = True, **environment: str) -> dict[str, Any]:
        """Run the sharded ETL on the embedded engine and return its summary."""
        done = self.run("python", "trigger.py", "--local", "--json", *options, check=check, **environment)
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    def published(self, output: str = "output") -> list[dict[str, Any]]:
        """The rows that the manifest names, part by part."""
        directory = self.path / output
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        parts = [file["path"] for file in manifest["files"] if file["path"].endswith(".parquet")]
        return [row for part in parts for row in pq.ParquetFile(directory / part).read().to_pylist()]

    def source_rows(self, file: str, directory: str = "sample_data") -> list[dict[str, str]]:
        """The rows of a source, read by the standard library."""
        with (self.path / directory / file).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


def bake(directory: Path, answers: Answers | None = None, **options: Any) -> BakedProject:
    """Render the template below `directory`, as `cookiecutter --no-input` does."""
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


def project_environment(**environment: str) -> dict[str, str]:
    """This environment, with its own interpreter first and none of its variables that a run reads."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RENDER_", "PYTEST_", "CHAOS_", "WORKFLOW_", "COV_", "MAKE", "MFLAGS"))
        and name not in ("DATA_URI", "OUTPUT_URI", "SHARD_COUNT", "LOG_FORMAT", "PYTHONDONTWRITEBYTECODE")
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
    return {**own, "PATH": path, "PYTHONPATH": "src", "PYTHONUTF8": "1", **environment}


def _all_answers(answers: Answers, path: Path) -> Answers:
    defaults = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
    complete = {
        name: value[0] if isinstance(value, list) else {True: "yes", False: "no"}.get(value, value)
        for name, value in defaults.items()
        if not name.startswith("_")
    }
    complete |= answers
    complete["project_slug"] = path.name
    complete["package_name"] = next(package.name for package in (path / "src").iterdir())
    return complete
