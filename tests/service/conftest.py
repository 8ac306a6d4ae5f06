"""A rendered project runs: on the embedded engine, under Render's protocol, and against Render's API.

Each test renders a project, or shares one with the tests of its module, and starts its real commands in
processes of their own. Render itself is replaced by stand-ins on this machine (`support/render_runtime.py`,
`support/fake_api.py`), or by Render's own dev server where its CLI is on PATH.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import chaos
from support.baked import BakedProject, bake, without_times
from support.fake_api import FakeApi, polled, serve, started
from support.faults import Faults
from support.remote_trigger import SUMMARY, RunTrigger, drive
from support.render_runtime import ROOT, RenderRuntime, WholeRun


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """Failures for one test to arm."""
    return Faults(tmp_path / "faults")


@pytest.fixture(scope="session")
def chaos_project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A project of four shards, without data, whose retries wait 50 ms; tests must not change any file."""
    return bake(tmp_path_factory.mktemp("chaos"), chaos.ANSWERS)


@pytest.fixture(scope="session")
def three_shards(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A project of three shards with 200 customers whose sources differ; tests must not change its data."""
    project = bake(tmp_path_factory.mktemp("three-shards"), {"shard_count": "3"})
    project.generate(200, "--missing", "0.1", "--duplicates", "0.05")
    return project


@pytest.fixture(scope="session")
def embedded_summary(three_shards: BakedProject) -> dict[str, Any]:
    """The summary of `three_shards` on the embedded engine; the output is in `out-embedded`."""
    return without_times(three_shards.trigger(OUTPUT_URI="out-embedded"))


@pytest.fixture(scope="session")
def whole_run(three_shards: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeRun]:
    """A run of `three_shards` under Render's protocol; the output is in `out-whole`."""
    faults, api_key = Faults(tmp_path_factory.mktemp("whole") / "faults"), "rnd_0123456789abcdef"
    environment = {"OUTPUT_URI": "out-whole", "RENDER_API_KEY": api_key, **faults.environment}
    with RenderRuntime(three_shards, environment) as render:
        yield WholeRun(render.run(ROOT), render, faults, api_key)


@pytest.fixture(scope="session")
def remote_project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """The project with default answers, without data; tests must not change any file."""
    return bake(tmp_path_factory.mktemp("remote"))


@pytest.fixture(scope="session")
def run_trigger(remote_project: BakedProject) -> Iterator[RunTrigger]:
    """Run the trigger's main(): `run_trigger("--json", url=api.url, settings={...}, WORKFLOW_SLUG=...)`."""
    with drive(remote_project) as run:
        yield run


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A stand-in for Render's API on which every run completes with `SUMMARY`."""
    with serve(FakeApi(start=[started()], poll=[polled("completed", [SUMMARY])])) as fake:
        yield fake
