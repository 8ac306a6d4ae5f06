"""Writing and publishing: a file is the old one or the new one, and only what nobody uses is removed."""

import errno
import os
import time
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from {{ cookiecutter.package_name }} import sink
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN, InputError
from {{ cookiecutter.package_name }}.sink import KEEP_SECONDS, Part, publish

from .helpers import files_in, read_manifest

VERSION = "v-0123456789abcdef"


@pytest.fixture
def part(output: Path) -> Part:
    return Part(str(output), "f" * 64, 0, 2)


def profiles(*keys: str) -> pa.Table:
    return pa.table({KEY_COLUMN: keys})


def test_a_part_is_replaced_and_a_reader_of_the_old_one_keeps_it(
    tmp_path: Path, output: Path, part: Part
) -> None:
    (file,) = part.write_profiles(profiles("a"))
    os.link(output / file["path"], tmp_path / "open")

    assert part.write_profiles(profiles("a", "b"))[0]["path"] == file["path"]

    assert list(files_in(output)) == [f"{part.version}/profiles/part-00000-of-00002.parquet"]
    assert pq.read_table(output / file["path"]).to_pydict() == {KEY_COLUMN: ["a", "b"]}
    assert pq.read_table(tmp_path / "open").to_pydict() == {KEY_COLUMN: ["a"]}


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), InputError),
        (RuntimeError("a bug"), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_while_writing_leaves_the_old_part_and_nothing_else(
    output: Path,
    part: Part,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    raised: type[BaseException],
) -> None:
    part.write_profiles(profiles("a"))
    before = files_in(output)

    def write_half(table: pa.Table, path: Path, **options: object) -> NoReturn:
        path.write_bytes(b"PAR1")
        raise error

    monkeypatch.setattr(pq, "write_table", write_half)
    with pytest.raises(raised):
        part.write_profiles(profiles("b"))

    assert files_in(output) == before


def test_a_failure_while_publishing_leaves_the_old_manifest_and_nothing_else(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(str(output), VERSION, {"rows": 1})
    before = files_in(output)

    def fail(file: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError) as error:
        publish(str(output), "v-fedcba9876543210", {"rows": 2})

    assert str(error.value) == f"OUTPUT_URI: cannot be written: {os.strerror(errno.EIO)}"
    assert files_in(output) == before


def test_an_output_without_permission_is_refused_by_its_variable(
    output: Path, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> NoReturn:  # chmod would not stop root
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)

    with pytest.raises(InputError) as error:
        part.write_profiles(profiles("a"))

    assert str(error.value) == f"OUTPUT_URI: cannot be written: {os.strerror(errno.EACCES)}"


def test_an_output_that_is_a_file_is_refused_by_its_variable(output: Path, part: Part) -> None:
    output.write_text("a file, where a directory must be")

    with pytest.raises(InputError, match="OUTPUT_URI: cannot be written: "):
        part.write_profiles(profiles("a"))
    with pytest.raises(InputError, match="OUTPUT_URI: cannot be written: "):
        publish(str(output), VERSION, {})


def test_a_result_is_read_as_it_was_written(output: Path, part: Part) -> None:
    assert part.read_result() is None
    result = {"shard_id": 0, "sample_profile": {KEY_COLUMN: "ü"}, "files": part.write_profiles(profiles())}

    part.write_result(result)

    assert part.read_result() == result


def test_a_version_that_is_written_again_counts_as_new(output: Path, part: Part) -> None:
    """A run of other data removes old versions; one that is just being made must not look old."""
    part.write_result({"shard_id": 0, "files": []})
    os.utime(output / part.version, (0, 0))
    part.write_result({"shard_id": 0, "files": []})

    sink.publish(str(output), "v-other", {})

    assert (output / part.version).is_dir()


def test_a_result_whose_files_are_gone_does_not_count(output: Path, part: Part) -> None:
    files = part.write_profiles(profiles())
    part.write_result({"shard_id": 0, "files": files})

    (output / files[0]["path"]).unlink()

    assert part.read_result() is None


def test_without_rejects_there_is_no_file_of_rejects(output: Path, part: Part) -> None:
    assert part.write_rejects({"a.csv": pa.table({sink.ROW_NUMBER: []}), "b.csv": profiles()}) == []
    assert files_in(output) == {}


def test_a_version_stands_for_the_sources_the_number_of_shards_and_the_code(
    tmp_path: Path, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_, count = part.source_data_hash, part.shard_count
    assert Part("elsewhere", hash_, 1, count).version == part.version
    assert Part("elsewhere", "0" * 64, 1, count).version != part.version
    assert Part("elsewhere", hash_, 1, count + 1).version != part.version

    (tmp_path / "sink.py").write_text("# other code")
    monkeypatch.setattr(sink, "__file__", str(tmp_path / "sink.py"))
    assert Part("elsewhere", hash_, 1, count).version != part.version


def test_the_manifest_names_the_version_first(output: Path) -> None:
    publish(str(output), VERSION, {"rows": 1, "files": []})

    assert list(read_manifest(output).items()) == [("version", VERSION), ("rows", 1), ("files", [])]


def test_publishing_removes_only_versions_that_nobody_can_be_using(output: Path) -> None:
    previous, unused = "v-1111111111111111", "v-2222222222222222"
    others = ["v-2", "v-222222222222222g", "archive", "v-33333333333333333"]
    young = "v-4444444444444444"
    publish(str(output), previous, {})
    for name in [VERSION, previous, unused, young, *others]:
        (output / name / "profiles").mkdir(parents=True)
        (output / name / "profiles" / "part").write_text(name)
        age = KEEP_SECONDS + (-60 if name == young else 60)
        os.utime(output / name, (time.time() - age, time.time() - age))

    publish(str(output), VERSION, {})

    assert {path.name for path in output.iterdir()} == {"manifest.json", VERSION, previous, young, *others}
