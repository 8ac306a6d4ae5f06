"""The sample data: the same seed gives the same bytes, options add gaps, duplicates and skew, and real files stay."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import generate_data
import numpy as np
import pytest
from sample_columns import key

from customer_etl.settings import KEY_COLUMN, SOURCE_FILES

from ..helpers import files_in

FIRST, SECOND, *_ = SOURCE_FILES
MARK, IGNORE = ".sample_data.json", ".gitignore"


def run_main(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr("sys.argv", ["generate_data.py", *options])
    return generate_data.main()


def generate(monkeypatch: pytest.MonkeyPatch, out: Path, *options: str) -> Path:
    assert run_main(monkeypatch, "--out", str(out), *options) == 0
    return out


def sources_in(out: Path) -> dict[str, bytes]:
    """The bytes of all files but those two that the generator leaves beside the sources."""
    return {file: content for file, content in files_in(out).items() if file not in (MARK, IGNORE)}


def keys_in(out: Path, file: str) -> list[str]:
    with (out / file).open(encoding="utf-8", newline="") as stream:
        return [row[KEY_COLUMN] for row in csv.DictReader(stream)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_data, "CHUNK_ROWS", 400)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--rows", "900", "--missing", "0.1", "--duplicates", "0.1", "--hot", "0.1")

    one = sources_in(generate(monkeypatch, tmp_path / "1", *options))
    two = sources_in(generate(monkeypatch, tmp_path / "2", *options))
    other = sources_in(generate(monkeypatch, tmp_path / "3", *options, "--seed", "43"))

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
    monkeypatch.setattr(generate_data, "SOURCE_FILES", list(columns))
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


# Files that are not the generator's


def test_what_it_made_before_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    generate(monkeypatch, out, "--rows", "20")

    generate(monkeypatch, out, "--rows", "30")

    assert files_in(out) == files_in(generate(monkeypatch, other, "--rows", "30"))
    assert len(keys_in(out, FIRST)) == 30


def test_the_mark_has_the_digest_of_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "20")

    files = files_in(out)
    mark = json.loads(files.pop(MARK))

    assert {*files} == {*SOURCE_FILES, IGNORE}
    assert mark == {file: [hashlib.sha256(content).hexdigest()] for file, content in files.items()}


def put(out: Path, file: str) -> None:
    (out / file).write_text("a file of the team", encoding="utf-8")


def link_to_nowhere(out: Path, file: str) -> None:
    (out / file).unlink(missing_ok=True)
    (out / file).symlink_to("nowhere")


def break_the_mark(out: Path, file: str) -> None:
    (out / MARK).write_text(f'{{"{file}": ', encoding="utf-8")


def write_a_mark_of_another_form(out: Path, file: str) -> None:
    (out / MARK).write_text(f'["{file}"]', encoding="utf-8")


def write_a_mark_with_other_values(out: Path, file: str) -> None:
    (out / MARK).write_text(f'{{"{file}": 1}}', encoding="utf-8")


def remove_the_mark(out: Path, file: str) -> None:
    (out / MARK).unlink()


@pytest.mark.parametrize(
    "change",
    [
        put,
        link_to_nowhere,
        break_the_mark,
        write_a_mark_of_another_form,
        write_a_mark_with_other_values,
        remove_the_mark,
    ],
)
def test_a_file_that_it_did_not_make_stops_it_before_it_writes_anything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path, str], None],
) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "20")
    change(out, SECOND)
    before = files_in(out)
    capsys.readouterr()

    assert run_main(monkeypatch, "--out", str(out), "--rows", "30") == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{out / SECOND}" in printed.err
    assert "nothing was written. Move " in printed.err
    assert "choose another directory with --out" in printed.err
    assert (f"{out / FIRST}" in printed.err) == ("mark" in change.__name__)
    assert files_in(out) == before
    assert (out / SECOND).is_symlink() == (change is link_to_nowhere)


def test_it_does_not_take_over_a_directory_of_the_team(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory has a .gitignore of the team, such as the root of a repository, and one real source."""
    put(tmp_path, IGNORE)
    put(tmp_path, FIRST)
    before = files_in(tmp_path)

    assert run_main(monkeypatch, "--out", str(tmp_path)) == 1
    assert files_in(tmp_path) == before
    (tmp_path / FIRST).unlink()
    generate(monkeypatch, tmp_path, "--rows", "20")

    assert files_in(tmp_path)[IGNORE] == before[IGNORE]
    assert IGNORE not in json.loads((tmp_path / MARK).read_bytes())


def test_a_file_that_comes_while_the_rows_are_made_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_source = generate_data.write_source

    def write_slowly(path: Path, file: str, *others: Any) -> None:
        write_source(path, file, *others)
        put(tmp_path, FIRST)

    monkeypatch.setattr(generate_data, "write_source", write_slowly)

    assert run_main(monkeypatch, "--out", str(tmp_path), "--rows", "20") == 1

    assert files_in(tmp_path) == {FIRST: b"a file of the team"}


def test_a_file_in_place_of_the_directory_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "file")

    assert run_main(monkeypatch, "--out", str(tmp_path / "file")) == 1

    error = f"error: {tmp_path / 'file'}: is not a directory; choose another one with --out\n"
    assert capsys.readouterr().err == error
    assert files_in(tmp_path) == {"file": b"a file of the team"}


# Interruptions


class Interrupted(BaseException):
    """Stands for whatever ends the process at once."""


@pytest.mark.parametrize("existing", [False, True], ids=["new", "replaced"])
def test_an_interruption_at_any_moment_leaves_whole_files_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    """Each move of a file into its place is, in turn, the last thing that happens."""
    replace = Path.replace
    old = files_in(generate(monkeypatch, tmp_path / "old", "--rows", "20"))
    new = files_in(generate(monkeypatch, tmp_path / "new", "--rows", "30"))
    moves = 0
    for last in range(100):
        out = tmp_path / str(last)
        if existing:
            generate(monkeypatch, out, "--rows", "20")
        moves = 0

        def replace_or_end(path: Path, target: Path, last: int = last) -> Path:
            nonlocal moves
            if moves == last:
                raise Interrupted
            moves += 1
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", replace_or_end)
        try:
            generate(monkeypatch, out, "--rows", "30")
            break
        except Interrupted:
            pass
        finally:
            monkeypatch.setattr(Path, "replace", replace)
        assert {*files_in(out)} <= {*new}, "no temporary file is left"
        for file in SOURCE_FILES:
            content = (out / file).read_bytes() if (out / file).exists() else None
            assert content in ((old[file], new[file]) if existing else (None, new[file]))
        generate(monkeypatch, out, "--rows", "30")
        assert files_in(out) == new
    assert moves == len(SOURCE_FILES) + 3, "the mark moves twice, and .gitignore once"


def test_ctrl_c_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "20")
    before, write_source = files_in(out), generate_data.write_source

    def interrupt(path: Path, file: str, *others: Any) -> None:
        write_source(path, file, *others)
        if file == SECOND:
            raise KeyboardInterrupt

    monkeypatch.setattr(generate_data, "write_source", interrupt)

    assert run_main(monkeypatch, "--out", str(out), "--rows", "30") == 130

    assert files_in(out) == before
    assert capsys.readouterr().err == "error: interrupted; run the same command again\n"


def test_the_rest_of_a_killed_run_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, f".{FIRST}.tmp")
    put(tmp_path, f".{SECOND}.tmp")
    put(tmp_path, SECOND)

    generate(monkeypatch, tmp_path, "--rows", "20", "--keep")

    assert {*files_in(tmp_path)} == {*SOURCE_FILES, MARK, IGNORE}


# --keep


def test_keep_makes_only_what_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = sources_in(generate(monkeypatch, tmp_path / "whole", "--rows", "20", "--missing", "0.5"))
    out = tmp_path / "out"
    out.mkdir()
    put(out, FIRST)
    capsys.readouterr()

    generate(monkeypatch, out, "--rows", "20", "--missing", "0.5", "--keep")

    assert sources_in(out) == {**whole, FIRST: b"a file of the team"}
    assert FIRST not in json.loads((out / MARK).read_bytes())
    made = [file for file in SOURCE_FILES if file != FIRST]
    assert capsys.readouterr().out == (
        f"20 keys in {len(made)} sources: {out}\n"
        f"made: {', '.join(made)}\n"
        f"kept: {FIRST}\n"
        f"note: {out} has sample data beside your own {FIRST}\n"
    )


def test_keep_touches_nothing_if_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = generate(monkeypatch, tmp_path / "out", "--rows", "20")
    before = {path: path.stat() for path in out.iterdir()}
    capsys.readouterr()

    generate(monkeypatch, out, "--rows", "30", "--keep")

    now = {path: path.stat() for path in out.iterdir()}
    assert {path: (status.st_ino, status.st_mtime_ns) for path, status in now.items()} == {
        path: (status.st_ino, status.st_mtime_ns) for path, status in before.items()
    }
    assert capsys.readouterr().out == (
        f"nothing to make: {out} has every source\nmade: none\nkept: {', '.join(SOURCE_FILES)}\n"
    )


def test_keep_leaves_nothing_beside_files_that_are_all_the_team_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in SOURCE_FILES:
        put(tmp_path, file)

    generate(monkeypatch, tmp_path, "--keep")

    assert files_in(tmp_path) == dict.fromkeys(SOURCE_FILES, b"a file of the team")


def test_keep_does_nothing_where_data_uri_is_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_URI", "real data")
    (tmp_path / "real data").mkdir()
    for file in SOURCE_FILES[:-1]:
        put(tmp_path / "real data", file)
    before = files_in(tmp_path)

    assert run_main(monkeypatch, "--keep") == 0

    assert files_in(tmp_path) == before
    assert capsys.readouterr().out == (
        "no sample data is needed: DATA_URI is real data\n"
        f"real data lacks {SOURCE_FILES[-1]}: put your own there, or run "
        "python scripts/generate_data.py --keep --out 'real data'\n"
    )


@pytest.mark.parametrize("value", ["", " ", "sample_data", "./sample_data/"])
def test_keep_makes_sample_data_where_data_uri_is_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_URI", value)

    assert run_main(monkeypatch, "--keep", "--rows", "20") == 0

    assert {*sources_in(tmp_path / "sample_data")} == {*SOURCE_FILES}


# Sources without columns


@pytest.mark.parametrize("options", [(), ("--keep",)], ids=["all", "keep"])
def test_a_source_without_columns_is_named_before_anything_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
) -> None:
    monkeypatch.setattr(generate_data, "SOURCE_FILES", [*SOURCE_FILES, "orders.csv"])

    assert run_main(monkeypatch, "--out", str(tmp_path / "out"), *options) == 1

    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().err == (
        "error: orders.csv: in SOURCE_FILES, but without columns in scripts/sample_columns.py, so nothing "
        "was written. Add the columns there and run `make data`, or set DATA_URI to a directory that has "
        "all sources\n"
    )


def test_a_source_without_columns_is_kept_if_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate_data, "SOURCE_FILES", [*SOURCE_FILES, "orders.csv"])
    put(tmp_path, "orders.csv")

    generate(monkeypatch, tmp_path, "--rows", "20", "--keep")

    assert {*sources_in(tmp_path)} == {*SOURCE_FILES, "orders.csv"}
    assert (tmp_path / "orders.csv").read_bytes() == b"a file of the team"


def test_a_source_that_the_team_has_removed_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate_data, "SOURCE_FILES", [SECOND])

    out = generate(monkeypatch, tmp_path / "out", "--rows", "20", "--missing", "0.5")

    assert {*sources_in(out)} == {SECOND}
    assert len(keys_in(out, SECOND)) == 20, "the first source never lacks a key"
