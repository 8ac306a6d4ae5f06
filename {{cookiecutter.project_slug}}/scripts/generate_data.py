"""Make sample data for this project's sources. The same seed and options give the same bytes.

    python scripts/generate_data.py --rows 1000 --seed 42 --out sample_data

Each source has one row per key by default. The options --missing, --duplicates and --hot add the gaps,
duplicates and skew of real data. Rows are made and written in chunks of 50,000 keys, to limit memory.

A file that this script did not make, or that was edited since, is never replaced. Two more files are written
beside the sources: .sample_data.json has the SHA-256 of each file that the script made, and .gitignore lists
these files, so that git sees all others.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sample_columns import COLUMNS, key

from {{ cookiecutter.package_name }}.errors import EtlError, OutputError, SourceError
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN, SOURCE_FILES

CHUNK_ROWS = 50_000
SAMPLE_DATA = Path("sample_data")
MARK = ".sample_data.json"
IGNORE = ".gitignore"
# The SHA-256 of each file that this script made. A file that is being replaced has two, the old and the new.
Digests = dict[str, list[str]]


def main() -> int:
    """Write the sources that the options ask for, and return the exit code."""
    arguments = _parse_arguments()
    out = arguments.out or SAMPLE_DATA
    data_uri = os.environ.get("DATA_URI", "").strip()
    elsewhere = data_uri and Path(data_uri).resolve() != out.resolve()
    try:
        if arguments.keep and not arguments.out and elsewhere:
            _say_what_is_missing(Path(data_uri))
        else:
            _make(out, arguments)
    except (EtlError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again", file=sys.stderr)
        return 130
    return 0


def _make(out: Path, options: argparse.Namespace) -> None:
    """Write the sources into `out`, all of them or with --keep those that do not exist, and say which."""
    kept = [file for file in SOURCE_FILES if options.keep and os.path.lexists(out / file)]
    wanted = [file for file in SOURCE_FILES if file not in kept]
    _check(out, wanted)
    temporary = {file: out / f".{file}.tmp" for file in [MARK, IGNORE, *SOURCE_FILES]}
    out.mkdir(parents=True, exist_ok=True)
    try:
        for file in wanted:
            write_source(temporary[file], file, SOURCE_FILES.index(file), options)
        _check(out, wanted)  # again, because a file may have come while the rows were made
        made = _place(out, wanted, temporary)
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)
    if wanted:
        print(f"{_counted(options.rows, 'key')} in {_counted(len(wanted), 'source')}: {out}")
    else:
        print(f"nothing to make: {out} has every source")
    if options.keep:
        print(f"made: {', '.join(wanted) or 'none'}")
        print(f"kept: {', '.join(kept) or 'none'}")
    if made.keys() & {*SOURCE_FILES} and (own := [file for file in SOURCE_FILES if file not in made]):
        print(f"note: {out} has sample data beside your own {', '.join(own)}")


def _check(out: Path, wanted: list[str]) -> None:
    """Refuse to replace files that this script did not make, and to make sources without columns.

    Raises:
        OutputError: one of the files exists and is not as this script made it, or `out` is a file.
        SourceError: a source has no columns in `sample_columns.py`.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a directory; choose another one with --out")
    made = _unchanged(out)
    theirs = [str(out / file) for file in wanted if os.path.lexists(out / file) and file not in made]
    if theirs:
        it = "it" if len(theirs) == 1 else "them"
        raise OutputError(
            f"{', '.join(theirs)}: not made by scripts/generate_data.py, or edited since, so nothing was "
            f"written. Move {it} away, choose another directory with --out, or make only what is missing "
            "with --keep"
        )
    if unknown := [file for file in wanted if file not in COLUMNS]:
        raise SourceError(
            f"{', '.join(unknown)}: in SOURCE_FILES, but without columns in scripts/sample_columns.py, so "
            "nothing was written. Add the columns there and run `make data`, "
            "or set DATA_URI to a directory that has all sources"
        )


def _say_what_is_missing(directory: Path) -> None:
    """Print that sample data is not needed, and which sources the directory lacks."""
    print(f"no sample data is needed: DATA_URI is {directory}")
    if missing := [file for file in SOURCE_FILES if not (directory / file).exists()]:
        command = f"python scripts/generate_data.py --keep --out {shlex.quote(str(directory))}"
        print(f"{directory} lacks {', '.join(missing)}: put your own there, or run {command}")


def _place(out: Path, wanted: list[str], temporary: dict[str, Path]) -> Digests:
    """Move the new files to their places, and return the digests of all files that this script made.

    The mark is written first, with the old and the new digests, and again at the end. So the next run knows
    its files, at whatever moment this one is interrupted.
    """
    mark, before = _read_mark(out), _unchanged(out)
    made = {file: digests for file, digests in before.items() if file != IGNORE}
    made |= {file: [_digest(temporary[file])] for file in wanted}
    if not made and not mark:
        return made  # all files are the team's own, and so is the directory
    ignored, moved = _ignore_file(made), list(wanted)
    if IGNORE in before or not os.path.lexists(out / IGNORE):
        made[IGNORE] = [hashlib.sha256(ignored).hexdigest()]
        moved.insert(0, IGNORE)
    if not wanted and made == mark:
        return made
    temporary[IGNORE].write_bytes(ignored)
    _write_mark(out, temporary[MARK], {file: [*before.get(file, []), *made[file]] for file in made})
    for file in moved:
        temporary[file].replace(out / file)
    _write_mark(out, temporary[MARK], made)
    return made


def _unchanged(out: Path) -> Digests:
    """Return the digest of each file that is as this script made it."""
    mark = _read_mark(out)
    digests = {file: _digest(out / file) for file in mark if (out / file).is_file()}
    return {file: [digest] for file, digest in digests.items() if digest in mark[file]}


def _read_mark(out: Path) -> Digests:
    """Return what the mark says; nothing if it cannot be read, so that no file counts as made."""
    try:
        mark = json.loads((out / MARK).read_bytes())
        return {file: [str(digest) for digest in digests] for file, digests in mark.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_mark(out: Path, temporary: Path, made: Digests) -> None:
    temporary.write_text(json.dumps(made, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    temporary.replace(out / MARK)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _ignore_file(made: Digests) -> bytes:
    """Return a .gitignore that names these files, itself and the mark, and no other file."""
    names = [re.sub(r"[\\*?[]", r"\\\g<0>", file) for file in sorted({MARK, IGNORE, *made})]
    lines = ["# Made by scripts/generate_data.py, as the files that it lists. Git sees all others."]
    return "".join(f"{line}\n" for line in [*lines, *(f"/{name}" for name in names)]).encode()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


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
    parser.add_argument("--out", type=Path, help="directory to write to (default: sample_data)")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="make only sources that do not exist; without --out, none if DATA_URI is another directory",
    )
    parser.add_argument("--missing", type=_share, default=0.0, help="share of keys that a source lacks")
    parser.add_argument("--duplicates", type=_share, default=0.0, help="share of keys with a second row")
    parser.add_argument("--hot", type=_share, default=0.0, help="share of rows that share one key")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
