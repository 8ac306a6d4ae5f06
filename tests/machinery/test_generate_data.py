"""The sample data: the same seed gives the same bytes, and options add gaps, duplicates and skew."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import generate_data
import numpy as np
import pytest
from sample_columns import key

from customer_etl.settings import KEY_COLUMN, SOURCE_FILES

from ..helpers import files_in


def generate(monkeypatch: pytest.MonkeyPatch, out: Path, *options: str) -> Path:
    monkeypatch.setattr("sys.argv", ["generate_data.py", "--out", str(out), *options])
    generate_data.main()
    return out


def keys_in(out: Path, file: str) -> list[str]:
    with (out / file).open(encoding="utf-8", newline="") as stream:
        return [row[KEY_COLUMN] for row in csv.DictReader(stream)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_data, "CHUNK_ROWS", 400)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--rows", "900", "--missing", "0.1", "--duplicates", "0.1", "--hot", "0.1")

    one = files_in(generate(monkeypatch, tmp_path / "1", *options))
    two = files_in(generate(monkeypatch, tmp_path / "2", *options))
    other = files_in(generate(monkeypatch, tmp_path / "3", *options, "--seed", "43"))

    assert one == two
    assert set(one) == set(other) == set(SOURCE_FILES)
    for file in SOURCE_FILES:
        assert one[file] != other[file]


def test_each_source_has_each_key_once_over_several_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "900")

    for file in SOURCE_FILES:
        assert keys_in(out, file) == [key(number) for number in range(900)]
    assert capsys.readouterr().out == f"900 keys in {len(SOURCE_FILES)} sources: {out}\n"


def test_values_differ_between_chunks_and_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def number(rng: np.random.Generator, numbers: Any) -> Any:
        return rng.integers(1_000_000, size=len(numbers))

    columns = {"one.csv": {"test_1": number}, "two.csv": {"test_1": number}}
    monkeypatch.setattr(generate_data, "COLUMNS", columns)
    out = generate(monkeypatch, tmp_path / "out", "--rows", "800")

    values = []
    for file in columns:
        cells = [line.rpartition(",")[2] for line in (out / file).read_text(encoding="utf-8").splitlines()]
        values += [cells[1:401], cells[401:]]
    assert [len(chunk) for chunk in values] == [400] * 4
    assert len(set(map(tuple, values))) == 4


def test_missing_leaves_keys_out_of_all_sources_but_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "900", "--missing", "0.3")

    first, *others = (keys_in(out, file) for file in SOURCE_FILES)
    assert len(first) == 900
    for keys in others:
        assert len(keys) == len(set(keys)) == pytest.approx(630, abs=60)
        assert set(keys) < set(first)


def test_duplicates_gives_keys_a_second_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "900", "--duplicates", "0.2")

    for file in SOURCE_FILES:
        counts = Counter(keys_in(out, file))
        assert len(counts) == 900
        assert set(counts.values()) == {1, 2}
        assert counts.total() - 900 == pytest.approx(180, abs=50)


def test_hot_gives_one_key_its_share_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "900", "--hot", "0.4")

    for file in SOURCE_FILES:
        ((hot, count), (_, next_count)) = Counter(keys_in(out, file)).most_common(2)
        assert (hot, next_count) == (key(0), 1)
        assert count / len(keys_in(out, file)) == pytest.approx(0.4, abs=0.01)


def test_zero_rows_gives_only_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "0")

    for file in SOURCE_FILES:
        with (out / file).open(encoding="utf-8", newline="") as stream:
            (header,) = csv.reader(stream)
        assert header[0] == KEY_COLUMN
        assert len(header) > 1


@pytest.mark.parametrize(
    "options", [("--rows", "-1"), ("--rows", "many"), ("--missing", "1"), ("--hot", "-0.1"), ("--seed", "-1")]
)
def test_an_invalid_option_is_refused_by_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str],
) -> None:
    with pytest.raises(SystemExit) as end:
        generate(monkeypatch, tmp_path / "out", *options)

    assert end.value.code == 2
    assert f"argument {options[0]}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
