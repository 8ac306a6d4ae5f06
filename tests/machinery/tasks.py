"""Tasks for `test_engine.py`, in a module that the engine's processes can import."""

import math
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from render import TaskContext, Workflows

app = Workflows()


@app.task
def add(ctx: TaskContext, left: int, right: int) -> dict[str, int]:
    return {"sum": left + right}


@app.task
async def chatter(ctx: TaskContext) -> dict[str, Any]:
    """Print in every way that a task can, and return the ids of this run."""
    print("from print")
    subprocess.run([sys.executable, "-c", "print('from a process')"], check=True)
    os.write(1, b"from the descriptor\n")
    print("from stderr", file=sys.stderr)
    return asdict(ctx.metadata)


@app.task
def fail(ctx: TaskContext, marks: str) -> dict[str, Any]:
    """Add a mark to a file, and fail."""
    with Path(marks).open("a", encoding="utf-8") as file:
        file.write("x")
    raise ValueError(f"no luck, {Path(marks).stat().st_size} times")


@app.task
def die_once(ctx: TaskContext, marker: str) -> dict[str, Any]:
    """Kill the first attempt. It leaves a marker file, because an attempt does not know its number."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"survived": True}


@app.task
def leave(ctx: TaskContext, code: int) -> dict[str, Any]:
    """End the process without a result."""
    os._exit(code)


@app.task
def not_json(ctx: TaskContext) -> dict[str, Any]:
    return {"value": math.nan}


@app.task
def wait(ctx: TaskContext) -> dict[str, Any]:
    """Wait until the process is ended, for a minute at most."""
    print("waiting", flush=True)
    threading.Event().wait(60)
    return {}
