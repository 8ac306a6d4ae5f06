"""Failures in the middle of an attempt, without a change to the project: its code's hash stays the same."""

import os
import shutil
from pathlib import Path

from support.baked import PROGRAMS


class Faults:
    """Makes the worker of shard 1 fail while it opens its part, as often as a test says.

    Args:
        directory: is made, and holds a `sitecustomize` (`programs/fail_shard.py`) and its files.

    Attributes:
        environment: variables that put the `sitecustomize` on the path of the project's processes.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        shutil.copyfile(PROGRAMS / "fail_shard.py", directory / "sitecustomize.py")
        self._directory = directory
        self.environment = {"PYTHONPATH": os.pathsep.join([str(directory), "src"])}

    def arm(self, fault: str) -> None:
        """Make one attempt fail by an "error" or by a "kill", or make every attempt fail by an error ("always")."""
        (self._directory / fault).touch()

    def armed(self, fault: str) -> bool:
        """Return whether a fault that was armed has not happened yet."""
        return (self._directory / fault).exists()

    def modules(self, pid: int) -> set[str]:
        """Return the names of the modules that a process had loaded when it exited."""
        return set((self._directory / f"modules-{pid}").read_text(encoding="utf-8").split())
