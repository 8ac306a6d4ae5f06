"""The checks of the answers: which ones a project can be rendered with, and what a refusal says."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import PurePath

# Names that the rendered project imports or installs, or that its own files and directories have.
TAKEN_PACKAGES = frozenset(
    """
    aiohttp attr attrs benchmark build chaos_drill conftest dateutil dist generate_data httpx main mypy numpy
    output pandas pip psycopg py pyarrow pytest render render_sdk rich ruff sample_columns sample_data scripts
    setuptools src test tests trigger wheel yaml
    """.split()
)
# Scripts of the distributions in the rendered project's environment. Its own console script has the project's name and
# would replace one of them. A test compares this list with the distributions that the project pins.
TAKEN_SCRIPTS = frozenset(
    """
    dmypy f2py hatchling httpx idna markdown-it mypy mypyc numpy-config py.test pygmentize pytest render-workflows
    ruff stubgen stubtest trove-classifiers
    """.split()
)
# Scripts that the environment itself has, on any system: python3.13, pythonw, pip3, activate, activate.fish.
ENVIRONMENT_SCRIPTS = re.compile(r"(python|pip)[0-9.]*w?|(de)?activate(_this)?([.].*)?")
TAKEN_COLUMNS = frozenset(
    [
        "churn_risk",
        "completeness",
        "expansion_potential",
        "health_score",
        "idempotency_key",
        "row_count",
        "seen_in",
    ]
)
WINDOWS_DEVICES = frozenset(
    ["aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)


class AnswerError(ValueError):
    """An answer cannot be used. The message says what is wrong, and then what to do."""


def _check_text(text: str, longest: int) -> None:
    if not text.strip():
        raise AnswerError("it is empty; enter at least one character")
    if text != text.strip():
        raise AnswerError("it begins or ends with whitespace; remove it")
    if len(text) > longest:
        raise AnswerError(f"it has {len(text)} characters; use at most {longest}")
    for character in text:
        joiner = character in "\u200c\u200d"  # in emoji and in several scripts
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and not joiner:
            raise AnswerError(f"it contains the non-printable character U+{ord(character):04X}; remove it")
    if re.search(r"\{[{%#]|[}%#]\}", text):
        raise AnswerError(
            "it contains Jinja's delimiters, such as {{ or {%, which would be rendered; remove them"
        )


def check_project_name(text: str) -> None:
    _check_text(text, 80)


def check_description(text: str) -> None:
    _check_text(text, 200)


def check_project_slug(text: str) -> None:
    _check_text(text, 50)
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text) or ".." in text:
        raise AnswerError(
            "it is not a valid name; use letters and digits, and single . _ - between them, such as customer-etl"
        )
    if text.lower().partition(".")[0] in WINDOWS_DEVICES:
        raise AnswerError("it is the name of a device on Windows; use another, such as customer-etl")
    if re.sub(r"[._-]+", "_", text.lower()) in TAKEN_PACKAGES:
        raise AnswerError("the project already uses this name; use another, such as customer-etl")
    if text.lower() in TAKEN_SCRIPTS or ENVIRONMENT_SCRIPTS.fullmatch(text.lower()):
        raise AnswerError(
            "a script in the project's environment already has this name; use another, such as customer-etl"
        )


def check_package_name(text: str) -> None:
    _check_text(text, 40)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise AnswerError(
            "it is not a valid name; use lowercase letters, digits and _, a letter first, such as customer_etl"
        )
    if keyword.iskeyword(text):
        raise AnswerError("it is a Python keyword; use another name, such as customer_etl")
    if text in sys.stdlib_module_names:
        raise AnswerError(
            "it is a module of Python's standard library; use another name, such as customer_etl"
        )
    if text in TAKEN_PACKAGES or text in WINDOWS_DEVICES:
        raise AnswerError("the project or Windows already uses this name; use another, such as customer_etl")


def check_source_files(text: str) -> None:
    _check_text(text, 2000)
    files = split_files(text)
    if len(files) > 50:
        raise AnswerError(f"it lists {len(files)} files; use at most 50")
    sources: dict[str, str] = {}
    for file in files:
        if not file:
            raise AnswerError(
                "one of the names between the commas is empty; use names such as crm.csv, billing.csv"
            )
        if re.search(r'[/\\:*?"<>|]', file) or file.startswith((".", "-")):
            raise AnswerError(
                f"{file!r} is not a plain file name; leave out paths, special characters and a leading . or -"
            )
        if re.search(r"\.csv[\s;]", file):
            raise AnswerError(
                f"{file!r} looks like several names; separate names with commas, such as crm.csv, billing.csv"
            )
        if not file.endswith(".csv"):
            raise AnswerError(f"{file!r} does not end in .csv; use names such as crm.csv")
        source = source_name(file)
        if len(file) > 80 or not source:
            raise AnswerError(
                f"{file!r} needs 1 to 76 characters before .csv, including a letter or digit; rename it"
            )
        if PurePath(file).stem.lower() in WINDOWS_DEVICES:
            raise AnswerError(f"{file!r} is the name of a device on Windows; use names such as crm.csv")
        if source in sources:
            raise AnswerError(
                f"{sources[source]!r} and {file!r} would both be the source {source!r}; rename one of them"
            )
        sources[source] = file


def check_key_column(text: str) -> None:
    _check_text(text, 60)
    if "," in text:
        raise AnswerError("it contains a comma; enter the name of one column, such as customer_id")
    if text in TAKEN_COLUMNS:
        raise AnswerError(
            "the project adds a column of this name; rename the key column, for example to customer_id"
        )


def _check_number(text: str, low: int, high: int, example: int) -> None:
    if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text) or not low <= int(text) <= high:
        raise AnswerError(f"it is not a whole number from {low} to {high}; enter one, such as {example}")


def check_shard_count(text: str) -> None:
    _check_number(text, 1, 500, 10)


def check_max_retries(text: str) -> None:
    _check_number(text, 0, 10, 3)


def check_retry_wait_ms(text: str) -> None:
    _check_number(text, 0, 3_600_000, 2000)


def check_repo_url(text: str) -> None:
    _check_text(text, 200)
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(/[A-Za-z0-9._~-]+){2,}", text) or "/." in text:
        raise AnswerError(
            "it is not the HTTPS URL of a repository; use one such as https://github.com/acme/customer-etl"
        )


CHECKS: dict[str, Callable[[str], None]] = {
    "project_name": check_project_name,
    "description": check_description,
    "project_slug": check_project_slug,
    "package_name": check_package_name,
    "source_files": check_source_files,
    "key_column": check_key_column,
    "shard_count": check_shard_count,
    "max_retries": check_max_retries,
    "retry_wait_ms": check_retry_wait_ms,
    "repo_url": check_repo_url,
}


def split_files(text: str) -> list[str]:
    """Return the file names in an answer that separates them with commas."""
    return [file.strip() for file in text.split(",")]


def source_name(file: str) -> str:
    """Return the prefix of a source's columns, by the same rule as the rendered project's settings.py."""
    letters = (c if c.isalnum() else "_" for c in PurePath(file).stem.lower())
    return "".join(letters).strip("_")
