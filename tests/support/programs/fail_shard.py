"""Makes the worker of shard 1 fail while it opens its part; `support.faults` installs this as `sitecustomize`.

An attempt does not know its number, so files beside this one are the counter. Each process that exits normally
also leaves the names of the modules that it has loaded.
"""

import atexit
import os
import signal
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def take(fault: str) -> bool:
    """Use up a fault; of several processes only one can delete its file."""
    try:
        (HERE / fault).unlink()
    except FileNotFoundError:
        return False
    return True


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail where a part of shard 1 is opened."""
    if event == "open" and "part-00001-of-" in str(arguments[0]):
        if take("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if take("error") or (HERE / "always").exists():
            raise RuntimeError("no luck")


def write_modules() -> None:
    """Leave the names of all loaded modules in a file with this process's id in its name."""
    (HERE / f"modules-{os.getpid()}").write_text("\n".join(sys.modules), encoding="utf-8")


sys.addaudithook(hook)
atexit.register(write_modules)
