"""The environment variables that say where a run goes."""

import os
import re

from ..errors import SettingError
from ..settings import read_variable

# What the SDK understands in RENDER_USE_LOCAL_DEV. It would take any other text for false, and start a real run.
TRUE, FALSE = "1|t|T|true|TRUE|True", "0|f|F|false|FALSE|False"


def wants_dev_server() -> bool:
    """Return whether the variables ask for Render's dev server instead of Render itself."""
    switch = read_variable("RENDER_USE_LOCAL_DEV", "false", f"{TRUE}|{FALSE}", "true or false")
    return switch in TRUE.split("|") or bool(os.environ.get("RENDER_LOCAL_DEV_URL"))


def required(name: str) -> str:
    """Return a variable that a run on Render needs; a `SettingError` says what is wrong with it."""
    value = os.environ.get(name, "").strip()
    if not value:
        others = "without it, use --local, or `make dev` and RENDER_USE_LOCAL_DEV=true"
        raise SettingError(f"{name} is not set, and a run on Render needs it; {others}")
    if not re.fullmatch("[!-~]+", value):  # the client would refuse it with a message that holds the key
        raise SettingError(f"{name} contains a blank or a character that is not ASCII")
    return value
