"""One attempt of a task, in a process of its own: a request on stdin, a reply on stdout. See `embedded.py`."""

import asyncio
import importlib
import inspect
import json
import os
import signal
import sys
import threading
import traceback
from typing import Any

from {{ cookiecutter.render_package }} import TaskRunMetadata

from .embedded import EmbeddedEngine
from .payload import encode_payload


def main() -> None:
    """Run the task that the request names, and reply with its result or with the message of its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the engine too, and the engine decides
    stdout = os.dup(1)
    os.dup2(2, 1)  # what the task prints goes to stderr, because stdout is for the reply
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_engine, daemon=True).start()
    try:
        reply = {"result": asyncio.run(_run(request))}
    except Exception as error:
        reply = {"error": str(error), "place": _place(error)}
    with os.fdopen(stdout, "w", encoding="utf-8") as stream:
        json.dump(reply, stream)
    sys.stderr.flush()
    os._exit(0)  # no thread that a library has left behind can keep the process


async def _run(request: dict[str, Any]) -> Any:
    task = getattr(importlib.import_module(request["module"]), request["function"])
    context = EmbeddedEngine({}, metadata=TaskRunMetadata(**request["metadata"]))
    result = task.func(context, *request["args"], **request["kwargs"])
    result = await result if inspect.isawaitable(result) else result
    encode_payload(f"the result of {task.name}", result)
    return result


def _place(error: BaseException) -> str:
    """Return the type and the line of the error that caused this one; equal for a failure that repeats itself."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {frame.filename}:{frame.lineno}"


def _end_with_engine() -> None:
    """End this process when the engine ends, even by a kill: it holds the other end of stdin as long as it lives."""
    while os.read(0, 1):
        pass
    os._exit(1)
