"""Jinja filters of this template: checks of answers, names derived from them, and literals.

`cookiecutter.json` applies `check` right after each free-text prompt. A bad answer is explained and asked again on a
terminal; anywhere else it ends the session there, with one line. Either way nothing has been written yet.
`hooks/pre_gen_project.py` checks all answers again, because replayed answers skip the prompts.

The checks are in `template_answers.py`, and `template_session.py` says whether a person can be asked.

Do not rename this module or its filters: `cruft update` renders the old and the new template in one process,
with the module that was imported first (see CONTRIBUTING.md).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from cookiecutter.exceptions import CookiecutterException, FailedHookException, OutputDirExistsException
from jinja2 import Environment
from jinja2.ext import Extension

from template_answers import CHECKS, AnswerError, check_package_name, source_name, split_files
from template_session import ask_again, compared_by_cruft, obstacle, questions

CUSTOMER_SOURCES = ("crm.csv", "billing.csv", "product.csv", "support.csv")
CUSTOMER_KEY = "customer_id"

JINJA = re.compile(r"\{[{%#]")


def check(answer: object, name: str) -> str:
    """Check the answer to a prompt; on a terminal, explain a refusal and ask again until the answer is good.

    Args:
        answer: the answer.
        name: the prompt's variable in `cookiecutter.json`.

    Returns:
        The same word for every good answer. An answer that was asked for again has replaced the refused one.

    Raises:
        FailedHookException: the answer is refused, and nobody can be asked. cookiecutter prints the message and
            exits with 1.
        OutputDirExistsException: likewise, where the project's directory exists already.
    """
    text = str(answer)
    while refusal := _refusal_at_prompt(text, name):
        state = questions()
        if state is None:
            raise refusal
        print(f"  {refusal}", flush=True)
        text = ask_again(state, name, lambda default: _refusal_at_prompt(default, name) is None)
    return "ok"


def _refusal(text: str, name: str) -> CookiecutterException | None:
    try:
        CHECKS[name](text)
    except AnswerError as error:
        return FailedHookException(f"{name} = {_shown(text)}: {error}")
    return None


def _refusal_at_prompt(text: str, name: str) -> CookiecutterException | None:
    """Return why an answer is refused at its prompt, where the project's directory does not exist yet."""
    if refusal := _refusal(text, name):
        return refusal
    if name == "project_slug" and (problem := obstacle(text)):
        return OutputDirExistsException(f"{name} = {_shown(text)}: {problem}")
    return None


def _shown(text: str) -> str:
    """Return an answer for a message: in ASCII, on one line, and shortened."""
    return ascii(text) if len(text) <= 60 else f"{text[:60]!a}..."


def check_all(answers: Mapping[str, object]) -> str:
    """Check every answer that has a check, and ask nothing.

    Raises:
        FailedHookException: an answer is refused, as in `check`.
    """
    for name in CHECKS:
        if refusal := _refusal(str(answers[name]), name):
            raise refusal
    return "ok"


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
    """Adds the filters and a global for the hook that prints the next steps; refuses answers that contain Jinja."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in FILTERS:
            environment.filters[function.__name__] = function
        environment.globals[compared_by_cruft.__name__] = compared_by_cruft()
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
