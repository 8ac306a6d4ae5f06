"""The service registers two tasks with the options of its answers, and starts quickly."""

import json
from collections.abc import Callable

import pytest

from support.baked import BakedProject
from support.render_runtime import ROOT, SHARD, RenderRuntime


@pytest.mark.parametrize(
    ("answers", "root", "retry"),
    [
        ({}, ROOT, {"max_retries": 3, "wait_duration_ms": 2000, "factor": 1.5}),
        (
            {"max_retries": "0", "key_column": "order_id", "render_package": "render"},
            "merge_order_data",
            {"max_retries": 0, "wait_duration_ms": 2000, "factor": 1.5},
        ),
    ],
    ids=["defaults", "no-retry"],
)
def test_registers_its_two_tasks(
    bake_project: Callable[..., BakedProject], answers: dict[str, str], root: str, retry: dict[str, float]
) -> None:
    with RenderRuntime(bake_project(**answers)) as render:
        tasks = render.register()
    no_retry = {"max_retries": 0, "wait_duration_ms": 0, "factor": 1.5}
    assert {name: task["options"] for name, task in tasks.items()} == {
        SHARD: {"retry": retry, "timeout_seconds": 3600},
        root: {"retry": no_retry, "timeout_seconds": 4 * 3600},
    }
    assert [parameter["name"] for parameter in tasks[SHARD]["parameters"]] == ["shard_id", "run_id"]
    assert [parameter["has_default"] for parameter in tasks[root]["parameters"]] == [True]


def test_importing_the_service_is_light(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project()
    main = f"{project.package}.main"
    imported = json.loads(project.run_program("time_import", main))
    print(f"import of {main}: {imported['ms']:.0f} ms")
    heavy = {"pandas", "pyarrow", "numpy", "httpx", "rich", "attrs"}
    assert f"{project.package}.worker" in imported["modules"]
    assert not heavy.intersection(imported["modules"])
