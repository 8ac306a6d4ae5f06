"""Jinja filters of this template: checks of answers, names derived from them, and literals.

`cookiecutter.json` applies `check` right after each free-text prompt, so a bad answer ends the session there,
with one line and before anything is written. `hooks/pre_gen_project.py` checks all answers again, because
replayed answers skip the prompts.

Do not rename this module or its filters: `cruft update` renders the old and the new template in one process,
with the module that was imported first (see CONTRIBUTING.md).
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension

CUSTOMER_SOURCES = ("crm.csv", "billing.csv", "product.csv", "support.csv")
CUSTOMER_KEY = "customer_id"

# Names that the rendered project imports or installs, or that its own files and directories have.
TAKEN_PACKAGES = frozenset(
    """
    aiohttp attr attrs benchmark build chaos_drill conftest dateutil dist generate_data httpx main mypy numpy
    output pandas pip psycopg py pyarrow pytest remote render render_sdk rich ruff sample_columns sample_data
    scripts setuptools src test tests trigger wheel yaml
    """.split()
)
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


JINJA = re.compile(r"\{[{%#]")


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


def check(answer: object, name: str) -> str:
    """Check the answer to a prompt.

    Args:
        answer: the answer.
        name: the prompt's variable in `cookiecutter.json`.

    Returns:
        The same word for every good answer.

    Raises:
        FailedHookException: the answer is refused. cookiecutter prints the message and exits with 1.
    """
    try:
        CHECKS[name](str(answer))
    except AnswerError as error:
        raise FailedHookException(f"{name} = {_shown(str(answer))}: {error}") from None
    return "ok"


def _shown(text: str) -> str:
    """Return an answer for a message: in ASCII, on one line, and shortened."""
    return ascii(text) if len(text) <= 60 else f"{text[:60]!a}..."


def check_all(answers: Mapping[str, object]) -> str:
    """Check every answer that has a check.

    Raises:
        FailedHookException: an answer is refused, as in `check`.
    """
    for name in CHECKS:
        check(answers[name], name)
    return "ok"


def split_files(text: str) -> list[str]:
    """Return the file names in an answer that separates them with commas."""
    return [file.strip() for file in text.split(",")]


def source_name(file: str) -> str:
    """Return the prefix of a source's columns, by the same rule as the rendered project's settings.py."""
    letters = (c if c.isalnum() else "_" for c in PurePath(file).stem.lower())
    return "".join(letters).strip("_")


def _ascii_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain.replace("'", "").lower())


def slug(text: str) -> str:
    """Derive a directory name from a project name: `Ann's Café` -> `anns-cafe`."""
    return "-".join(_ascii_words(text))[:50].strip("-") or "etl-service"


def identifier(text: str) -> str:
    """Derive a package name from a slug: `2024-etl` -> `etl_2024_etl`; `json` -> `json_etl`."""
    name = "_".join(_ascii_words(text)) or "etl_service"
    name = name if name[0].isalpha() else f"etl_{name}"
    try:
        check_package_name(name[:40])
    except AnswerError:
        name = f"{name[:36]}_etl"
    return name[:40].strip("_")


def entity(key_column: str) -> str:
    """Derive what the key identifies, which names the orchestrator's task: `customer_id` -> `customer`."""
    words = _ascii_words(re.sub(r"([a-z])([A-Z])", r"\1 \2", key_column))
    if len(words) > 1 and words[-1] == "id":
        words.pop()
    return "_".join(words)[:40].strip("_") or "record"


def enrichment(source_files: str, key_column: str) -> str:
    """Choose the rules: `customer` for the default sources and key, `neutral` for any others."""
    known = sorted(split_files(source_files)) == sorted(CUSTOMER_SOURCES) and key_column == CUSTOMER_KEY
    return "customer" if known else "neutral"


def quoted(text: str) -> str:
    """Return a string literal that is valid in TOML, YAML and JSON."""
    return json.dumps(text, ensure_ascii=False)


def python_string(text: str) -> str:
    """Return a Python string literal with the quotes that the formatter prefers."""
    literal = json.dumps(text, ensure_ascii=False)
    if text.count('"') > text.count("'"):
        return "'" + literal[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return literal


FILTERS: tuple[Callable[..., object], ...] = (
    check,
    check_all,
    enrichment,
    entity,
    identifier,
    python_string,
    quoted,
    slug,
    source_name,
    split_files,
)


class TemplateExtension(Extension):
    """Adds the filters, and refuses answers that contain Jinja."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in FILTERS:
            environment.filters[function.__name__] = function
        self._texts, self._names = _own_texts()

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Refuse Jinja in an answer, because cookiecutter renders answers that are given as `key=value`.

        Source without a template name is a text of this template, a path in its tree, or an answer.

        Raises:
            FailedHookException: the source is an answer and contains Jinja.
        """
        parts = [part for part in re.split(r"[/\\]", source) if JINJA.search(part)]
        if name is None and source not in self._texts and not self._names.issuperset(parts):
            raise FailedHookException(
                f"{_shown(source)}: an answer contains Jinja's delimiters, such as {{{{ or {{%; remove them"
            )
        return source


def _own_texts() -> tuple[set[str], set[str]]:
    """Return the texts that cookiecutter renders from strings, and the names of files with Jinja."""
    here = Path(__file__).parent
    answers = json.loads((here / "cookiecutter.json").read_text(encoding="utf-8"))
    texts = {value for value in answers.values() if isinstance(value, str)}
    texts |= {hook.read_text(encoding="utf-8") for hook in (here / "hooks").glob("*.py")}
    tree = here / "{{cookiecutter.project_slug}}"
    return texts, {path.name for path in [tree, *tree.rglob("*")] if JINJA.search(path.name)}
