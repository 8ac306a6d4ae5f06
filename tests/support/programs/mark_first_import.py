"""A `sitecustomize` that creates the file in MARK as soon as the trigger's module is about to be imported.

Imported means that Python itself has started, and that nothing which takes long has been imported yet.
"""

import os
import sys
from pathlib import Path
from typing import Any

mark = Path(os.environ["MARK"])


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Create the file at the import that matters."""
    if event == "import" and arguments[0].endswith(".cli.trigger"):
        mark.touch()


sys.addaudithook(watch)
