"""Bring every pin to its newest version: `make pins`.

Two files of constraints, for all supported versions of Python at once: the rendered project's, with what any
variant may install, and the template's own, which agrees with it. The linter's version in the rendered
pre-commit file follows.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE / "{{cookiecutter.project_slug}}"


def requirements_of_all_variants() -> list[str]:
    """Every requirement in the rendered project's pyproject.toml, whatever the answers."""
    template = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    quoted = re.findall(r'^    "([\w-]+[<>=][^"]*)",$', template, re.MULTILINE)
    build = re.findall(r'^requires = \["([^"]+)"\]$', template, re.MULTILINE)
    return [*quoted, *build]


def compile_pins(target: Path, *arguments: str) -> None:
    """Resolve requirements for Python 3.11 and newer, on any system, without what a comment would date."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--universal"]
    options = ["--python-version", "3.11", "--no-header", "--no-annotate", "--output-file", str(target)]
    subprocess.run([*command, *options, *arguments], cwd=HERE, check=True)


def main() -> None:
    """Write both files of constraints and the pre-commit file."""
    with tempfile.TemporaryDirectory() as directory:
        wanted = Path(directory, "requirements.in")
        wanted.write_text("\n".join(requirements_of_all_variants()) + "\n")
        compile_pins(PROJECT / "constraints.txt", str(wanted))
    compile_pins(HERE / "constraints.txt", "--group", "test", "-c", str(PROJECT / "constraints.txt"))
    pins = (PROJECT / "constraints.txt").read_text(encoding="utf-8")
    [ruff] = re.findall(r"^ruff==(\S+)", pins, re.MULTILINE)
    hooks = PROJECT / ".pre-commit-config.yaml"
    text = hooks.read_text(encoding="utf-8")
    hooks.write_text(re.sub(r"rev: v\S+", f"rev: v{ruff}", text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
