"""Make sample data for this project's sources: the same seed gives the same bytes.

    python scripts/generate_data.py --rows 1000 --seed 42 --out sample_data

One row per key in each source, unless options ask for what real data has: --missing, --duplicates, --hot.
Rows are made in chunks, so ten million of them need no more memory than a hundred thousand.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sample_columns import COLUMNS, key

from {{ cookiecutter.package_name }}.settings import KEY_COLUMN

CHUNK_ROWS = 50_000


def main() -> None:
    """Write every source of the project."""
    arguments = _parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for position, file in enumerate(COLUMNS):
        temporary = arguments.out / f".{file}.tmp"
        write_source(temporary, file, position, arguments)
        temporary.replace(arguments.out / file)
    print(f"{arguments.rows} keys in {len(COLUMNS)} sources: {arguments.out}")


def write_source(path: Path, file: str, position: int, options: argparse.Namespace) -> None:
    """Write one source; the first one never lacks a key, so that `--rows` keys give as many profiles."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        for first in range(0, max(options.rows, 1), CHUNK_ROWS):
            rng = np.random.default_rng([options.seed, position, first])
            numbers = np.arange(first, min(first + CHUNK_ROWS, options.rows))
            if position > 0:
                numbers = numbers[rng.random(len(numbers)) >= options.missing]
            again = numbers[rng.random(len(numbers)) < options.duplicates]
            hot = np.zeros(round(len(numbers) * options.hot / (1 - options.hot)), dtype=np.int64)
            numbers = np.concatenate([numbers, again, hot])
            columns = {name: make(rng, numbers) for name, make in COLUMNS[file].items()}
            columns.pop(KEY_COLUMN, None)  # the sample may have a column of the key's name
            chunk = pd.DataFrame({KEY_COLUMN: [key(number) for number in numbers], **columns})
            chunk.to_csv(stream, header=first == 0, index=False, lineterminator="\n")


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to below 1")
    return share


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return count


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make sample data for this project's sources.")
    parser.add_argument("--rows", type=_count, default=1000, help="number of keys (default: 1000)")
    parser.add_argument("--seed", type=_count, default=42, help="default: 42")
    parser.add_argument("--out", type=Path, default=Path("sample_data"), help="default: sample_data")
    parser.add_argument("--missing", type=_share, default=0.0, help="share of keys that a source lacks")
    parser.add_argument("--duplicates", type=_share, default=0.0, help="share of keys with a second row")
    parser.add_argument("--hot", type=_share, default=0.0, help="share of rows that belong to one key")
    return parser.parse_args()


if __name__ == "__main__":
    main()
