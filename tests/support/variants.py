"""The answers that tests try, read from cookiecutter.json, so that no option can be forgotten."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from allpairspy import AllPairs

Answers = dict[str, str]

TEMPLATE = Path(__file__).parents[2]
COOKIECUTTER_JSON = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))

# Free-text answers that choose files or code, with a value for each of the ways that they can go.
KINDS: dict[str, list[str]] = {
    "source_files": [
        "crm.csv, billing.csv, product.csv, support.csv",
        "2024-orders.csv,Web Clicks.csv",
        "orders.csv",
    ],
    "key_column": ["customer_id", 'Kunden "Nr."', "id"],
    "shard_count": ["10", "1", "64"],
    "max_retries": ["3", "0", "10"],
    "retry_wait_ms": ["2000", "0", "3600000"],
}

# Free-text answers that are only written somewhere; a long and a short one, for lines that might wrap.
TEXTS: dict[str, list[str]] = {
    "project_name": ["Customer ETL", "x", 'Ann\'s "Büro" \\ 東京 🦆 & <Söhne> ' + "n" * 50],
    "project_slug": ["customer-etl", "x", "A.b_c-" + "d" * 44],
    "package_name": ["customer_etl", "x", "abcdefghij_" * 3 + "abcdefg"],
    "repo_url": ["https://github.com/a/b", "https://gitlab.example.com/" + "group/" * 20 + "etl.git"],
    "description": ["Merges.", "d" * 200, "It's \"C:\\new\" {x} [b]bold[/b] %s $(id) `id` ''' #"],
}


def choices() -> dict[str, list[str]]:
    """Every choice and boolean of the template with all its values, the default first."""
    options = {}
    for name, value in COOKIECUTTER_JSON.items():
        if name.startswith("_"):
            continue
        if isinstance(value, list):
            options[name] = value
        elif isinstance(value, bool):
            options[name] = ["yes", "no"] if value else ["no", "yes"]
    return options


def every_combination() -> Iterator[Answers]:
    """All combinations of all choices and booleans, with the free-text kinds taking turns beside them."""
    options = choices()
    turns = [dict(zip(KINDS, values, strict=True)) for values in zip(*KINDS.values(), strict=True)]
    # Sources and keys that are no customers' turn with a period that no number of choices divides.
    for number, values in enumerate(itertools.product(*options.values())):
        yield {**dict(zip(options, values, strict=True)), **turns[(number * 7 // 5) % len(turns)]}


def each_alone() -> Iterator[Answers]:
    """The defaults, then each other value of each answer alone."""
    yield {}
    for name, values in {**choices(), **KINDS, **TEXTS}.items():
        for value in values[1:]:
            yield {name: value}


def pairwise() -> Iterator[Answers]:
    """A small set of variants in which each pair of values of any two answers occurs."""
    options = {**choices(), **KINDS}
    for values in AllPairs(list(options.values())):
        yield dict(zip(options, values, strict=True))


def label(answers: Answers) -> str:
    """A short text that names a variant, for the names of tests and for messages."""
    return "-".join(f"{name}={value}"[:40] for name, value in answers.items()) or "defaults"
