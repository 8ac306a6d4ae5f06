"""One line per event on stderr, flushed at once; stdout belongs to the trigger's summary."""

import json
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from .settings import Settings


def event(name: str, **fields: Any) -> None:
    """Write one event, such as `event("shard_start", shard_id=3)`, as JSON or as `key=value` text, with its time."""
    if Settings.from_env().log_format == "json":
        line = json.dumps({"time": timestamp(), "event": name, **fields}, ensure_ascii=False)
    else:
        line = " ".join([timestamp(), name, *(f"{key}={value}" for key, value in fields.items())])
    sys.stderr.write(line + "\n")  # one write, because several processes may share this stderr
    sys.stderr.flush()


def timestamp() -> str:
    """Return the time as ISO 8601 in UTC, such as `2026-11-21T08:00:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def elapsed_ms(started: float) -> int:
    """Return the milliseconds since a reading of `time.perf_counter`."""
    return round((time.perf_counter() - started) * 1000)


def traceback_line(error: BaseException) -> str:
    """Return the traceback in one line, innermost call first, without the host's directories."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
