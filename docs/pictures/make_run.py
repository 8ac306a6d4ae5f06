"""Draw the README's picture of a run: `make pictures` renders the default project, runs it, and writes run.svg."""

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.baked import bake

COMMAND = ("python", "trigger.py", "--local")
WIDTH = 108  # columns; the longest line of the log fits


def main() -> None:
    """Run the project and draw what a terminal shows."""
    with tempfile.TemporaryDirectory() as directory:
        project = bake(Path(directory), {"logging": "text"}, accept_hooks=False)
        project.generate(1000)
        run = project.run(*COMMAND)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False, markup=False)
    console.print(f"$ {' '.join(COMMAND)}", style="bold")
    console.print(run.stderr, style="dim", end="")
    console.print(run.stdout, end="")
    picture = console.export_svg(title="customer-etl", unique_id="run")
    picture = re.sub(
        r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL
    )  # these would be fetched from the web
    Path(__file__).with_name("run.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
