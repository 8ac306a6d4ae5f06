"""What may pass between tasks on Render: JSON objects below 4 MB."""

import json
from typing import Any

from ..errors import PayloadError

MAX_PAYLOAD_BYTES = 4_000_000


def encode_payload(what: str, value: Any) -> str:
    """Return a task's arguments or its result as JSON.

    Args:
        what: what the value is, for the error message.
        value: the value.

    Raises:
        PayloadError: it is not a dict, is not strict JSON (NaN, numpy scalars), or is too large.
    """
    if not isinstance(value, dict):
        raise PayloadError(f"{what} must be a JSON object (a dict), not {type(value).__name__}")
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PayloadError(f"{what} cannot be JSON: {error}") from None
    if len(text) >= MAX_PAYLOAD_BYTES:
        raise PayloadError(f"{what} has {len(text)} bytes of JSON; the limit is {MAX_PAYLOAD_BYTES}")
    return text
