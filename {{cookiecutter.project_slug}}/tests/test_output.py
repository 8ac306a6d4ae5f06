"""The output: files are written atomically, and readers see one version, never a mixture of two."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from {{ cookiecutter.package_name }} import manifest, storage
from {{ cookiecutter.package_name }}.errors import OutputError, RunError
from {{ cookiecutter.package_name }}.manifest import KEEP_SECONDS, OutputVersion, publish
from {{ cookiecutter.package_name }}.parts import write_part
from {{ cookiecutter.package_name }}.settings import KEY_COLUMN
from {{ cookiecutter.package_name }}.sources import ROW_NUMBER

from .helpers import files_in, read_manifest

PART = "profiles/part-00000-of-00002.parquet"


@pytest.fixture
def version(output: Path) -> OutputVersion:
    return OutputVersion(str(output), "f" * 64, 2)


def write(version: OutputVersion, *keys: str, shard_id: int = 0) -> list[dict[str, Any]]:
    """Write a part with these keys and no rejects; return its files as the manifest lists them."""
    return write_part(version, shard_id, pa.table({KEY_COLUMN: keys}), {"a.csv": pa.table({ROW_NUMBER: []})})


def result(version: OutputVersion, shard_id: int) -> dict[str, Any]:
    """Write a part with one key, and return the fields of the shard's result that `publish` reads."""
    files = write(version, f"k-{shard_id}", shard_id=shard_id)
    return {"shard_id": shard_id, "count": 1, "version": version.name, "files": files}


def test_replacing_a_part_does_not_affect_a_reader_of_the_old_one(
    tmp_path: Path, output: Path, version: OutputVersion
) -> None:
    (file,) = write(version, "a")
    os.link(output / file["path"], tmp_path / "open")

    assert write(version, "a", "b")[0]["path"] == file["path"] == f"{version.name}/{PART}"

    assert list(files_in(output)) == [file["path"]]
    assert pq.read_table(output / file["path"]).to_pydict() == {KEY_COLUMN: ["a", "b"]}
    assert pq.read_table(tmp_path / "open").to_pydict() == {KEY_COLUMN: ["a"]}


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OutputError),
        (RuntimeError("a bug"), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_while_writing_leaves_only_the_old_file(
    output: Path, error: BaseException, raised: type[BaseException]
) -> None:
    def half() -> Iterator[bytes]:
        yield b"PAR1"
        raise error

    storage.write(str(output), "directory/file", [b"old"])
    with pytest.raises(raised):
        storage.write(str(output), "directory/file", half())

    assert files_in(output) == {"directory/file": b"old"}


def test_a_failure_while_publishing_leaves_the_output_unchanged(
    output: Path, version: OutputVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [result(version, shard_id) for shard_id in (0, 1)]
    publish(version, results)
    before = files_in(output)

    def fail(file: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError) as error:
        publish(version, results)

    assert str(error.value) == f"OUTPUT_URI cannot be written: {os.strerror(errno.EIO)}"
    assert files_in(output) == before


def test_missing_write_permission_gives_an_error_that_names_the_variable(
    version: OutputVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> NoReturn:  # not by chmod, which would not stop root
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)

    with pytest.raises(OutputError) as error:
        write(version, "a")

    assert str(error.value) == f"OUTPUT_URI cannot be written: {os.strerror(errno.EACCES)}"


def test_an_output_that_is_a_file_gives_an_error_that_names_the_variable(
    output: Path, version: OutputVersion
) -> None:
    output.write_text("a file instead of a directory")

    with pytest.raises(OutputError, match="OUTPUT_URI cannot be written: "):
        write(version, "a")
    with pytest.raises(OutputError, match="OUTPUT_URI cannot be written: "):
        storage.write_json(str(output), "manifest.json", {})


def test_a_shard_without_rejects_writes_no_rejects_file(output: Path, version: OutputVersion) -> None:
    write(version, "a")

    assert list(files_in(output)) == [f"{version.name}/{PART}"]


def test_a_version_is_published_when_all_of_its_shards_are_complete(
    output: Path, version: OutputVersion
) -> None:
    first, second = result(version, 0), result(version, 1)

    assert publish(version, [first])["published"] is False
    assert not (output / "manifest.json").exists()
    version.save_result(first)
    assert publish(version, [second]) == {
        "version": version.name,
        "manifest": "manifest.json",
        "files": 2,
        "published": True,
    }

    assert list(read_manifest(output).items()) == [
        ("version", version.name),
        ("source_data_hash", "f" * 64),
        ("shard_count", 2),
        ("rows", 2),
        ("files", [*first["files"], *second["files"]]),
    ]


def test_a_saved_result_is_read_as_it_was_written(version: OutputVersion) -> None:
    assert version.saved_result(0) is None
    saved = {**result(version, 0), "sample_profile": {KEY_COLUMN: "ü"}}

    version.save_result(saved)

    assert version.saved_result(0) == saved


def test_a_saved_result_whose_files_are_missing_is_ignored(output: Path, version: OutputVersion) -> None:
    saved = result(version, 0)
    version.save_result(saved)

    (output / saved["files"][0]["path"]).unlink()

    assert version.saved_result(0) is None


def test_a_part_of_another_version_is_not_published(output: Path, version: OutputVersion) -> None:
    other = {**result(version, 1), "version": "v-0000000000000000"}

    with pytest.raises(RunError, match=f"v-0000000000000000, not {version.name}: their code differs"):
        publish(version, [result(version, 0), other])

    assert not (output / "manifest.json").exists()


def test_the_version_depends_on_sources_shard_count_code_and_libraries(
    tmp_path: Path, version: OutputVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def name(source_data_hash: str = "f" * 64, shard_count: int = 2, output_uri: str = "elsewhere") -> str:
        return OutputVersion(output_uri, source_data_hash, shard_count).name

    assert name() == version.name
    assert len({name(), name("0" * 64), name(shard_count=3)}) == 3

    with monkeypatch.context() as other_libraries:
        other_libraries.setattr(manifest, "installed_version", str.upper)
        assert name() != version.name

    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "manifest.py"))
    names = [name()]
    for module in ("enrichment.py", "rules/__init__.py", "rules/health.py"):
        (tmp_path / module).parent.mkdir(exist_ok=True)
        (tmp_path / module).write_text("# a rule")
        names.append(name())
    assert len(set(names)) == 4
    for module in ("log.py", "cli/trigger.py", "engine/embedded.py"):
        (tmp_path / module).parent.mkdir(exist_ok=True)
        (tmp_path / module).write_text("# not a rule")
        assert name() == names[-1]


def test_publishing_removes_only_old_versions_that_are_not_in_use(
    output: Path, version: OutputVersion
) -> None:
    previous, unused, young = "v-1111111111111111", "v-2222222222222222", "v-4444444444444444"
    others = ["v-2", "v-222222222222222g", "archive", "v-33333333333333333"]
    results = [result(version, shard_id) for shard_id in (0, 1)]
    storage.write_json(str(output), "manifest.json", {"version": previous})
    for name in [version.name, previous, unused, young, *others]:
        (output / name / "profiles").mkdir(parents=True, exist_ok=True)
        (output / name / "profiles" / "part").write_text(name)
        age = KEEP_SECONDS + (-60 if name == young else 60)
        os.utime(output / name, (time.time() - age, time.time() - age))

    publish(version, results)

    left = {path.name for path in output.iterdir()}
    assert left == {"manifest.json", version.name, previous, young, *others}


def test_a_version_that_is_written_again_is_not_removed_as_old(output: Path, version: OutputVersion) -> None:
    """A run on other data removes old versions. It must keep one that another run is writing again."""
    version.save_result(result(version, 0))
    os.utime(output / version.name, (0, 0))
    version.save_result(result(version, 0))

    other = OutputVersion(str(output), "0" * 64, 1)
    publish(other, [result(other, 0)])

    assert (output / version.name).is_dir()
