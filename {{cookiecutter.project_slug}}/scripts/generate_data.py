"""Make sample data for this project's sources. The same seed and options give the same bytes.

    python scripts/generate_data.py --rows 1000 --seed 42 --out sample_data

Each source has one row per key by default. The options --missing, --duplicates and --hot add the gaps,
duplicates and skew of real data. Rows are made and written in chunks of 50,000 keys, to limit memory.
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
    print(f"{_counted(arguments.rows, 'key')} in {_counted(len(COLUMNS), 'source')}: {arguments.out}")


def write_source(path: Path, file: str, position: int, options: argparse.Namespace) -> None:
    """Write one source. The first source has all keys, so that a run makes exactly `--rows` profiles.

    Args:
        path: the file to write.
        file: the source's name in `COLUMNS`.
        position: the source's position in `COLUMNS`, from 0.
        options: the options of the command line.
    """
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
            columns.pop(KEY_COLUMN, None)  # a sample column may have the name of the key column
            chunk = pd.DataFrame({KEY_COLUMN: [key(number) for number in numbers], **columns})
            chunk.to_csv(stream, header=first == 0, index=False, lineterminator="\n")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and less than 1, not {text}")
    return share


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return count


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make sample data for this project's sources.")
    parser.add_argument("--rows", type=_count, default=1000, help="number of keys (default: 1000)")
    parser.add_argument("--seed", type=_count, default=42, help="seed of the random values (default: 42)")
    parser.add_argument(
        "--out", type=Path, default=Path("sample_data"), help="directory to write to (default: sample_data)"
    )
    parser.add_argument("--missing", type=_share, default=0.0, help="share of keys that a source lacks")
    parser.add_argument("--duplicates", type=_share, default=0.0, help="share of keys with a second row")
    parser.add_argument("--hot", type=_share, default=0.0, help="share of rows that share one key")
    return parser.parse_args()


if __name__ == "__main__":
    main()
