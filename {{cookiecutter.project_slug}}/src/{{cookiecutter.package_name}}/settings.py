"""Every answer given to the template and every environment variable, in one typed place."""

import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

from .errors import SettingError

SOURCE_FILES = [
{% for file in cookiecutter.source_files | split_files %}
    {{ file | python_string }},
{% endfor %}
]
KEY_COLUMN = {{ cookiecutter.key_column | python_string }}
# The key column of a source that names it differently, such as {"planes.csv": "tail_number"}.
KEY_COLUMN_BY_SOURCE: dict[str, str] = {}
# Texts that mean "missing" in a source, such as {"weather.csv": ["NA"]}. Without an entry, all text is a value.
MISSING_BY_SOURCE: dict[str, list[str]] = {}
MAX_RETRIES = {{ cookiecutter.max_retries }}
RETRY_WAIT_MS = {{ cookiecutter.retry_wait_ms }}
SHARD_TIMEOUT_SECONDS = {{ 1800 if cookiecutter.schedule == "hourly" else 3600 }}
RUN_TIMEOUT_SECONDS = {{ 3300 if cookiecutter.schedule == "hourly" else 14400 }}


@dataclass(frozen=True)
class Settings:
    """What may differ from one run to the next; environment variables override the defaults.

    Attributes:
        data_uri: directory that holds the sources (`DATA_URI`).
        output_uri: directory that receives the output (`OUTPUT_URI`).
        shard_count: number of shards, 1 to 500 (`SHARD_COUNT`).
        log_format: `json` or `text` (`LOG_FORMAT`).
    """

    data_uri: str = "sample_data"
    output_uri: str = "output"
    shard_count: int = {{ cookiecutter.shard_count }}
    log_format: str = "{{ cookiecutter.logging }}"

    @classmethod
    def from_env(cls) -> Self:
        """Read the environment; a `SettingError` names the variable that cannot be used."""
        default_count, one_to_500 = str(cls.shard_count), r"[1-9]\d?|[1-4]\d\d|500"
        return cls(
            data_uri=read_variable("DATA_URI", cls.data_uri, r"(?!.*://).+", "a directory"),
            output_uri=read_variable("OUTPUT_URI", cls.output_uri, r"(?!.*://).+", "a directory"),
            shard_count=int(read_variable("SHARD_COUNT", default_count, one_to_500, "from 1 to 500")),
            log_format=read_variable("LOG_FORMAT", cls.log_format, "json|text", "json or text"),
        )

    @property
    def output_is_durable(self) -> bool:
        """Whether the output outlives the run. On Render it does not: each run has a disk of its own."""
        return "RENDER" not in os.environ


def read_variable(name: str, default: str, pattern: str, expected: str) -> str:
    """Read an environment variable. Empty counts as not set, as it does in a Blueprint.

    Raises:
        SettingError: the value does not match the pattern; `expected` says in words what would.
    """
    value = os.environ.get(name, "").strip() or default
    if not re.fullmatch(pattern, value, re.ASCII):
        raise SettingError(f"{name} must be {expected}, not {value!r}")
    return value


def source_name(file: str) -> str:
    """Return the name of a source, the prefix of its columns: `Web-Orders.csv` becomes `web_orders`."""
    letters = (c if c.isalnum() else "_" for c in PurePath(file).stem.lower())
    return "".join(letters).strip("_")
