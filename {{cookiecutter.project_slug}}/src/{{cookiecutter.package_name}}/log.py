"""One line per event on stderr, flushed: stdout is for the trigger's summary."""

import json
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from .settings import InputError, Settings


def event(name: str, **fields: Any) -> None:
    """Write one event, such as `event("shard_start", shard_id=3)`, as JSON or as `key=value` text."""
    if Settings.from_env().log_format == "json":
        line = json.dumps({"event": name, **fields}, ensure_ascii=False)
    else:
        line = " ".join([name, *(f"{key}={value}" for key, value in fields.items())])
    sys.stderr.write(line + "\n")  # in one write: attempts may share one stderr
    sys.stderr.flush()


@contextmanager
def shard_events(shard_id: int, run_id: str | None) -> Iterator[dict[str, Any]]:
    """Log `shard_start`, then `shard_end` or `shard_failed` with the time between, in milliseconds.

    Yields the fields of the last event; the body adds to them, and finds `elapsed_ms` in them afterwards.
    """
    fields: dict[str, Any] = {"shard_id": shard_id, "run_id": run_id}
    event("shard_start", **fields)
    started = time.perf_counter()
    outcome = "shard_failed"
    try:
        yield fields
        outcome = "shard_end"
    except Exception as error:
        fields |= {"error": describe(error), "where": _where(error)}
        raise
    finally:
        fields["elapsed_ms"] = round((time.perf_counter() - started) * 1000)
        event(outcome, **fields)


def describe(error: BaseException) -> str:
    """The error in one line, with its type where the text alone does not say enough."""
    text = " ".join(str(error).split())
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"


def _where(error: BaseException) -> str:
    """The traceback in one line, innermost call first, without the directories of the host."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
