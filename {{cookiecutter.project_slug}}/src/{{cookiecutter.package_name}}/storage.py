"""Files below a directory, each written atomically: a reader sees the old file or the new one, never half of one."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import OutputError


def write(root: str, path: str, chunks: Iterable[Any]) -> dict[str, Any]:
    """Write a file below `root`, replacing an earlier one only when the new one is complete and on the disk.

    Returns:
        The file's `path`, its size as `bytes` and its `sha256`.

    Raises:
        OutputError: the file cannot be written; an earlier one is still there.
    """
    target, digest = Path(root, path), hashlib.sha256()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"OUTPUT_URI cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
    return {"path": path, "bytes": size, "sha256": digest.hexdigest()}


def write_json(root: str, path: str, value: dict[str, Any]) -> None:
    """Write a JSON document as `write` does."""
    write(root, path, [json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2).encode() + b"\n"])


def read_json(root: str, path: str) -> dict[str, Any] | None:
    """Return a JSON document, or None if it does not exist or is not JSON."""
    with suppress(OSError, ValueError):
        value: dict[str, Any] = json.loads(Path(root, path).read_bytes())
        return value
    return None


def remove_old(root: str, pattern: str, seconds: float, keep: set[str]) -> None:
    """Remove the directories that match a pattern and did not change for so many seconds, but for those to keep."""
    for directory in Path(root).glob(pattern):
        with suppress(OSError):  # another process may be removing it
            if directory.name not in keep and time.time() - directory.stat().st_mtime > seconds:
                shutil.rmtree(directory)
