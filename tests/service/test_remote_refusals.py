"""With invalid options or variables, the trigger starts nothing and says what is wrong."""

import re

import pytest

from support.fake_api import FakeApi
from support.remote_trigger import DEPLOYED, KEY, Done, RunTrigger


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({"RENDER_API_KEY": KEY}, "WORKFLOW_SLUG is not set"),
        ({"WORKFLOW_SLUG": "my-etl", "RENDER_API_KEY": " "}, "RENDER_API_KEY is not set"),
        ({}, "WORKFLOW_SLUG is not set.*--local.*`make dev`.*RENDER_USE_LOCAL_DEV=true"),
        ({**DEPLOYED, "RENDER_API_KEY": f"{KEY}\n{KEY}"}, "RENDER_API_KEY contains a blank or a character"),
        (
            {**DEPLOYED, "RENDER_USE_LOCAL_DEV": "yes"},
            "RENDER_USE_LOCAL_DEV must be true or false, not 'yes'",
        ),
    ],
)
def test_a_wrong_environment_starts_nothing(
    api: FakeApi, run_trigger: RunTrigger, environment: dict[str, str], error: str
) -> None:
    done = run_trigger(url=api.url, **environment)

    assert (done.code, done.out, api.requests) == (1, "", [])
    assert re.fullmatch(f"error: {error}.*\n", done.err)
    assert KEY not in done.err


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--local", "--no-wait"], "--no-wait and --idempotency-key do not go with --local"),
        (["--timeout", "0"], "--timeout takes a number of seconds above 0"),
        (["--timeout", "nan"], "--timeout takes a number of seconds above 0"),
        (["--shards", "x"], "--shards takes numbers separated by commas, such as 3,7; not 'x'"),
    ],
)
def test_wrong_options_start_nothing(
    api: FakeApi, run_trigger: RunTrigger, options: list[str], error: str
) -> None:
    assert run_trigger(*options, url=api.url, **DEPLOYED) == Done(1, "", f"error: {error}\n")
    assert not api.requests
