"""render.yaml: valid for Render's schema and validator, and what Render would run, runs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from baked import BakedProject, bake
from fake_api import FakeApi, polled, serve, started
from render_runtime import RenderRuntime
from variants import Answers, choices, identifier

SCHEMA = os.environ.get("RENDER_BLUEPRINT_SCHEMA")

VARIANTS: list[Answers] = [
    {"project_slug": "1e3"},
    {"key_column": "顧客", "repo_url": "https://gitlab.example.com/a/b.git"},
    *({"schedule": s, "render_region": r} for s in choices()["schedule"] for r in choices()["render_region"]),
    *({"python_version": v, "logging": f} for v in choices()["python_version"] for f in choices()["logging"]),
]


@pytest.fixture(params=VARIANTS, ids=identifier)
def blueprint(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[BakedProject, dict[str, Any]]:
    project = bake(tmp_path, request.param)
    return project, yaml.safe_load(project.read("render.yaml"))


@pytest.mark.skipif(SCHEMA is None, reason="RENDER_BLUEPRINT_SCHEMA does not name Render's schema")
def test_blueprint_is_valid_for_the_official_schema(blueprint: tuple[BakedProject, dict[str, Any]]) -> None:
    assert SCHEMA
    validator = jsonschema.Draft202012Validator(json.loads(Path(SCHEMA).read_text(encoding="utf-8")))
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(blueprint[1])]
    assert not errors


def test_blueprint_has_what_the_schema_lets_slip(blueprint: tuple[BakedProject, dict[str, Any]]) -> None:
    project, content = blueprint
    answers = project.answers
    services = {service["type"]: service for service in content["services"]}
    assert set(services) == ({"workflow"} if answers["schedule"] == "none" else {"workflow", "cron"})
    workflow = services["workflow"]
    allowed = {"type", "name", "runtime", "region", "repo", "buildCommand", "startCommand", "envVars"}
    assert set(workflow) == allowed  # Render's validator refuses plan, numInstances, autoDeploy, ...
    assert workflow["name"] == answers["project_slug"]
    for service in services.values():
        assert service["region"] == answers["render_region"]
        assert service["repo"] == answers["repo_url"].replace(
            "{{ cookiecutter.project_slug }}", answers["project_slug"]
        )
        assert "constraints.txt" in service["buildCommand"]
        values = {variable["key"]: variable.get("value") for variable in service["envVars"]}
        assert len(values) == len(service["envVars"])
        assert all(value is None or isinstance(value, str) for value in values.values())
        assert re.fullmatch(rf"{re.escape(answers['python_version'])}\.\d+", str(values["PYTHON_VERSION"]))
    variables = {variable["key"]: variable["value"] for variable in workflow["envVars"]}
    assert variables["SHARD_COUNT"] == answers["shard_count"]
    assert variables["LOG_FORMAT"] == answers["logging"]
    if cron := services.get("cron"):
        wired = {variable["key"]: variable for variable in cron["envVars"]}
        source = {"type": "workflow", "name": workflow["name"], "property": "slug"}
        assert wired["WORKFLOW_SLUG"]["fromService"] == source
        assert wired["RENDER_API_KEY"] == {"key": "RENDER_API_KEY", "sync": False}
        assert re.fullmatch(r"0 (\*|\d+) \* \* \*", cron["schedule"])


@pytest.mark.slow
def test_build_and_start_commands_run_in_a_clean_environment(
    bake_project: Callable[..., BakedProject],
) -> None:
    """As on Render: a new environment, the build command, then the start command in each of its modes."""
    project = bake_project(schedule="daily", shard_count="2")
    services = {s["type"]: s for s in yaml.safe_load(project.read("render.yaml"))["services"]}
    environment = project.path.parent / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True, timeout=120)
    path = f"{environment}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"

    def shell(command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return project.run("bash", "-euo", "pipefail", "-c", command, check=check, PATH=path, PYTHONPATH="")

    shell(services["workflow"]["buildCommand"])
    assert (project.path / "sample_data" / "crm.csv").is_file()
    assert list(environment.rglob("customer_etl/__pycache__/main.*.pyc")), "the build must compile"
    with RenderRuntime(project, {"PATH": path, "PYTHONPATH": "", "RENDER": "true"}) as runtime:
        assert services["workflow"]["startCommand"].split() == list(runtime.command)
        summary = runtime.run("merge_customer_data").result
    assert summary["profiles_generated"] == 1000
    assert summary["output"]["durable"] is False
    shell(services["cron"]["buildCommand"])
    done = shell(services["cron"]["startCommand"], check=False)
    assert done.returncode == 1
    assert "WORKFLOW_SLUG" in done.stderr


@pytest.mark.parametrize(("schedule", "period"), [("hourly", "%Y-%m-%dT%H"), ("daily", "%Y-%m-%d")])
def test_scheduled_starts_of_one_period_share_a_key(
    bake_project: Callable[..., BakedProject], schedule: str, period: str
) -> None:
    """The start command of the cron service, as a shell runs it: a second start joins the first one's run."""
    project = bake_project(schedule=schedule)
    [cron] = [s for s in yaml.safe_load(project.read("render.yaml"))["services"] if s["type"] == "cron"]
    summary = {"statistics": {}, "records_processed": 4, "duplicate_records": 0, "rejected_records": 0}
    counts = {"profiles_generated": 1, "shards_processed": 1, "output": {"published": False, "version": "v"}}
    api = FakeApi(start=[started()], poll=[polled("completed", [summary | counts])])
    before = datetime.now(UTC)
    with serve(api):
        done = project.run("bash", "-c", cron["startCommand"], RENDER_LOCAL_DEV_URL=api.url, NO_PROXY="*")
    assert done.stdout.splitlines()[-1].startswith("Merged 1 enriched profiles across 1 shards")
    [request] = api.sent("POST")
    times = {before.strftime(period), datetime.now(UTC).strftime(period)}
    assert request.body["idempotencyKey"] in {f"customer-etl-{time}" for time in times}


def test_hourly_runs_end_before_the_next_one(bake_project: Callable[..., BakedProject]) -> None:
    """So that runs never overlap: a run's timeout is shorter than its period, a shard's than a run's."""
    for schedule, period in (("hourly", 3600), ("daily", 24 * 3600)):
        project = bake_project(schedule=schedule, project_slug=schedule)
        code = f"from {project.package} import settings as s; print(s.SHARD_TIMEOUT_SECONDS, s.RUN_TIMEOUT_SECONDS)"
        shard, run = map(int, project.run("python", "-c", code).stdout.split())
        assert 30 <= shard < run < period
