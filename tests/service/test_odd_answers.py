"""A project whose names and columns need quoting everywhere works like any other."""

from pathlib import Path

import pytest

from support.baked import bake
from support.static_checks import complaints


@pytest.mark.slow
def test_odd_answers_together_pass_everything(tmp_path: Path) -> None:
    """A project with all of the oddest answers passes its checks and tests, and runs."""
    project = bake(
        tmp_path,
        {
            "project_name": '🦆 Ann\'s "Büro" \\ $(touch pwned) %s [b]',
            "description": "It's \"\"\" ''' \\ {x} `id` <b> # שלום",
            "source_files": "2024-orders.csv, it's.csv, bücher.csv",
            "key_column": "顧客 \"Nr.\" \\ 'x'",
            "shard_count": "3",
        },
    )
    assert not list(complaints(project))
    assert not project.lint()
    project.typecheck()
    project.run_tests()
    project.generate(60)
    assert project.trigger()["profiles_generated"] == 60
    assert not list(tmp_path.rglob("pwned"))
