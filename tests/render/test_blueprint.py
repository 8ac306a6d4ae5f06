"""render.yaml passes Render's schema, and the rules of Render's validator that are not in the schema."""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from support.baked import BakedProject, bake
from support.variants import Answers, choices, label

SCHEMA = os.environ.get("RENDER_BLUEPRINT_SCHEMA")

VARIANTS: list[Answers] = [
    {"project_slug": "1e3"},
    {"key_column": "顧客", "repo_url": "https://gitlab.example.com/a/b.git"},
    *({"schedule": s, "render_region": r} for s in choices()["schedule"] for r in choices()["render_region"]),
    *({"python_version": v, "logging": f} for v in choices()["python_version"] for f in choices()["logging"]),
]


@pytest.fixture(params=VARIANTS, ids=label)
def blueprint(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[BakedProject, dict[str, Any]]:
    project = bake(tmp_path, request.param)
    return project, yaml.safe_load(project.read("render.yaml"))


@pytest.mark.skipif(SCHEMA is None, reason="RENDER_BLUEPRINT_SCHEMA does not name Render's schema")
def test_blueprint_is_valid_for_the_official_schema(blueprint: tuple[BakedProject, dict[str, Any]]) -> None:
    assert SCHEMA
    validator = jsonschema.Draft202012Validator(json.loads(Path(SCHEMA).read_text(encoding="utf-8")))
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(blueprint[1])]
    assert not errors


def test_blueprint_follows_the_rules_that_the_schema_does_not_express(
    blueprint: tuple[BakedProject, dict[str, Any]],
) -> None:
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
