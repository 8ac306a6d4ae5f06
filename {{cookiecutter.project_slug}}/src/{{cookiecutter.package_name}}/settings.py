"""Every answer given to the template and every environment variable, in one typed place."""

import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

SOURCE_FILES = [
{% for file in cookiecutter.source_files | split_files %}
    {{ file | python_string }},
{% endfor %}
]
KEY_COLUMN = {{ cookiecutter.key_column | python_string }}
MAX_RETRIES = {{ cookiecutter.max_retries }}
RETRY_WAIT_MS = {{ cookiecutter.retry_wait_ms }}
SHARD_TIMEOUT_SECONDS = {{ 1800 if cookiecutter.schedule == "hourly" else 3600 }}
RUN_TIMEOUT_SECONDS = {{ 3300 if cookiecutter.schedule == "hourly" else 14400 }}


class InputError(Exception):
    """A source, a setting or an argument is wrong; the text names it, and holds no cell and no host's path."""


@dataclass(frozen=True)
class Settings:
    """What may differ from one run to the next; the environment overrides these defaults."""

    data_uri: str = "sample_data"
    output_uri: str = "output"
    shard_count: int = {{ cookiecutter.shard_count }}
    log_format: str = "{{ cookiecutter.logging }}"

    @classmethod
    def from_env(cls) -> Self:
        """Read the environment; an `InputError` names the variable that holds something wrong."""
        return cls(
            data_uri=_read("DATA_URI", cls.data_uri, r"(?!.*://).+", "a directory"),
            output_uri=_read("OUTPUT_URI", cls.output_uri, r"(?!.*://).+", "a directory"),
            shard_count=int(
                _read("SHARD_COUNT", str(cls.shard_count), r"[1-9]\d?|[1-4]\d\d|500", "from 1 to 500")
            ),
            log_format=_read("LOG_FORMAT", cls.log_format, "json|text", "json or text"),
        )

    @property
    def output_is_durable(self) -> bool:
        """Whether the output outlives the run: on Render, an instance's disk goes with it."""
        return "RENDER" not in os.environ


def source_name(file: str) -> str:
    """The name of a source, which its columns have as a prefix: `Web-Orders.csv` -> `web_orders`."""
    letters = (c if c.isalnum() else "_" for c in PurePath(file).stem.lower())
    return "".join(letters).strip("_")


def _read(variable: str, default: str, pattern: str, expected: str) -> str:
    """The variable's value; an empty one counts as not set, as it does in a Blueprint."""
    value = os.environ.get(variable, "").strip() or default
    if not re.fullmatch(pattern, value, re.ASCII):
        raise InputError(f"{variable} must be {expected}, not {value!r}")
    return value
