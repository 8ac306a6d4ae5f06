"""The text after rendering names the project's own directory and targets."""

import re
from pathlib import Path

import pytest

from support.baked import bake


def test_next_steps_are_exact(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = bake(tmp_path / "a directory", {"shard_count": "7"})
    printed = capfd.readouterr().out
    assert f"cd '{project.path}'" in printed
    assert "runs 7 shards" in printed
    targets = re.findall(r"make (\w+)", printed)
    assert targets == ["run", "test"]
    makefile = project.read("Makefile")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
