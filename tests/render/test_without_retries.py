"""A project without retries has no chaos drill, and nothing that mentions one."""

from collections.abc import Callable

from support.baked import BakedProject


def test_without_retries_there_is_no_trace_of_a_drill(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project(max_retries="0")

    for path in project.files():
        assert "chaos" not in path.lower()
        assert "chaos" not in project.read(path).lower(), path
    assert "chaos" in bake_project(project_slug="with-retries").read("Makefile")
