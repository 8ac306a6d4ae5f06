"""The answers that tests try. Choices are read from cookiecutter.json, so that no option can be forgotten."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from allpairspy import AllPairs

Answers = dict[str, str]

TEMPLATE = Path(__file__).parents[2]
COOKIECUTTER_JSON = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))

# Free-text answers that choose files or code, with one value for each outcome.
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

# Free-text answers that only appear as text: the default, a short one, and a long one that could wrap a line.
TEXTS: dict[str, list[str]] = {
    "project_name": ["Customer ETL", "x", 'Ann\'s "Büro" \\ 東京 🦆 & <Söhne> ' + "n" * 50],
    "project_slug": ["customer-etl", "x", "A.b_c-" + "d" * 44],
    "package_name": ["customer_etl", "x", "abcdefghij_" * 3 + "abcdefg"],
    "repo_url": ["https://github.com/a/b", "https://gitlab.example.com/" + "group/" * 20 + "etl.git"],
    "description": ["Merges.", "d" * 200, "It's \"C:\\new\" {x} [b]bold[/b] %s $(id) `id` ''' #"],
}


def choices() -> dict[str, list[str]]:
    """Return every choice and boolean of the template with all its values, the default first."""
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
    """Yield all combinations of all choices and booleans, each with one of three sets of values of `KINDS`."""
    options = choices()
    turns = [dict(zip(KINDS, values, strict=True)) for values in zip(*KINDS.values(), strict=True)]
    # The sets repeat after 15 combinations, which is the period of no choice: no choice always meets the same set.
    for number, values in enumerate(itertools.product(*options.values())):
        yield {**dict(zip(options, values, strict=True)), **turns[(number * 7 // 5) % len(turns)]}


def each_alone() -> Iterator[Answers]:
    """Yield the defaults, then each other value of each answer alone."""
    yield {}
    for name, values in {**choices(), **KINDS, **TEXTS}.items():
        for value in values[1:]:
            yield {name: value}


def pairwise() -> Iterator[Answers]:
    """Yield a small set of variants in which each pair of values of any two answers occurs."""
    options = {**choices(), **KINDS}
    for values in AllPairs(list(options.values())):
        yield dict(zip(options, values, strict=True))


def label(answers: Answers) -> str:
    """Return a short text that names a variant, for the names of tests and for messages."""
    return "-".join(f"{name}={value}"[:40] for name, value in answers.items()) or "defaults"
