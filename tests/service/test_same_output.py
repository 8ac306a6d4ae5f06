"""The number of shards changes no row, and a second run changes no byte."""

from typing import Any

import pytest

from support.baked import BakedProject


@pytest.mark.slow
def test_shard_count_changes_nothing_but_the_shards(default_project: BakedProject) -> None:
    def run(shard_count: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        output = f"out-{shard_count}"
        summary = default_project.trigger(SHARD_COUNT=str(shard_count), OUTPUT_URI=output)
        rows = sorted(default_project.published(output), key=lambda row: str(row["customer_id"]))
        assert [shard["shard_id"] for shard in summary.pop("shards")] == list(range(shard_count))
        assert summary.pop("shards_processed") == shard_count
        assert summary.pop("output")["published"]
        return summary, rows

    first = run(1)
    for shard_count in (7, 10, 64):
        assert run(shard_count) == first


def test_second_run_writes_the_same_bytes(default_project: BakedProject) -> None:
    def files() -> dict[str, bytes]:
        output = default_project.path / "out-twice"
        return {
            path.relative_to(output).as_posix(): path.read_bytes()
            for path in output.rglob("*")
            if path.is_file() and "results" not in path.parts  # they hold elapsed times
        }

    default_project.trigger(SHARD_COUNT="2", OUTPUT_URI="out-twice")
    first = files()
    assert len(first) == 3  # two parts and the manifest
    default_project.trigger(SHARD_COUNT="2", OUTPUT_URI="out-twice")
    assert files() == first
