"""What may pass between tasks: strict JSON objects below 4 MB, as on Render."""

import json
from typing import Any

MAX_BYTES = 4_000_000


class BoundaryError(Exception):
    """An argument or a result that Render would refuse or change; the text says whose and why."""


def encode(what: str, value: Any) -> str:
    """The value as JSON; raises `BoundaryError` for NaN, numpy scalars, lists, or too many bytes."""
    if not isinstance(value, dict):
        raise BoundaryError(f"{what} must be a JSON object (a dict), not {type(value).__name__}")
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BoundaryError(f"{what} cannot be JSON: {error}") from None
    if len(text) >= MAX_BYTES:
        raise BoundaryError(f"{what} has {len(text)} bytes of JSON; the limit is {MAX_BYTES}")
    return text
