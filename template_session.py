"""What the filters have to know about the session in which cookiecutter calls them.

cookiecutter hands a filter the answer and nothing else. Whether a person can be asked, and where the project will be
written, is known only to the local variables of its functions, so this module reads those. Where it does not find
them, for example in another version of cookiecutter, a refused answer ends the session.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from cookiecutter.prompt import read_user_variable, render_variable

# The local variables of cookiecutter's `prompt_for_config` that `questions` and `ask_again` use.
USED = frozenset(["context", "cookiecutter_dict", "env", "no_input", "prefix", "prompts"])


def _locals_of(module: str, function: str) -> Mapping[str, Any] | None:
    """Return the local variables of the innermost running call of a function, or None if it is not running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == function and frame.f_globals.get("__name__") == module:
            return frame.f_locals
        frame = frame.f_back
    return None


def questions() -> Mapping[str, Any] | None:
    """Return the state of cookiecutter's questions if a person answers them on a terminal.

    Only the `cookiecutter` command asks again. Its `--no-input`, a replay, cruft, and a program that calls
    cookiecutter's Python API get the refusal instead.

    Returns:
        The local variables of `cookiecutter.prompt.prompt_for_config`, or None if nobody can be asked.
    """
    command = _locals_of("cookiecutter.cli", "main")
    rendering = _locals_of("cookiecutter.main", "cookiecutter")
    state = _locals_of("cookiecutter.prompt", "prompt_for_config")
    if command is None or rendering is None or state is None or not USED.issubset(state):
        return None
    if rendering.get("replay", True) or state["no_input"]:
        return None
    return state if sys.stdin is not None and sys.stdin.isatty() else None


def ask_again(state: Mapping[str, Any], name: str, is_good: Callable[[str], bool]) -> str:
    """Ask a question once more, and keep its answer in place of the one before.

    Args:
        state: what `questions` returned.
        name: the question's variable in `cookiecutter.json`.
        is_good: says whether an answer passes its check; a default that does not is not offered again.

    Raises:
        EOFError: the person pressed Ctrl-D, or the terminal is gone. cookiecutter then ends the session.
        KeyboardInterrupt: the person pressed Ctrl-C. cookiecutter then ends the session.
    """
    answers = state["cookiecutter_dict"]
    default = str(render_variable(state["env"], state["context"]["cookiecutter"][name], answers))
    offered = default if is_good(default) else None
    answer = str(read_user_variable(name, offered, state["prompts"], state["prefix"]))
    answers[name] = answer
    return answer


def obstacle(directory: str) -> str | None:
    """Return why the project cannot be written to a directory of this name, or None if it can.

    Only cookiecutter's own `--output-dir` is looked at. cruft renders into temporary directories and checks its target
    itself. `--skip-if-file-exists` makes no difference: cookiecutter also wants `--overwrite-if-exists` with it.
    """
    rendering = _locals_of("cookiecutter.main", "cookiecutter")
    if rendering is None or not {"output_dir", "overwrite_if_exists"}.issubset(rendering):
        return None
    target = Path(rendering["output_dir"], directory)
    if not target.exists():
        return None
    if not target.is_dir():
        return "a file in the output directory has this name; use another name"
    if rendering["overwrite_if_exists"]:
        return None
    return "this directory already exists; use another name, or write into it with --overwrite-if-exists"


def compared_by_cruft() -> bool:
    """Return whether `cruft` renders a state of the template only to compare it, and then deletes it."""
    commands = ("check", "diff", "update")
    return any(_locals_of(f"cruft._commands.{command}", command) is not None for command in commands)
