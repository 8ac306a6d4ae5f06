"""Runs a project's trigger many times in one process: importing the client alone takes a second.

Arguments: the names of Render's SDK and of the command line's modules, the trigger first. Each line of stdin is a
run as JSON: its `options`, `environment`, the `url` that replaces the address of Render's API, and `settings`, which
replace constants of these modules. Each line of stdout is the exit code, stdout and stderr of that run.
"""

import importlib
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from typing import Any

modules: list[Any] = [importlib.import_module(name) for name in sys.argv[1:]]
sdk, trigger, *_ = modules
Render = sdk.Render
variables = dict(os.environ)
for line in sys.stdin:
    case = json.loads(line)
    sdk.Render = partial(Render, base_url=case["url"])
    os.environ.clear()
    os.environ.update(variables | case["environment"])
    for name, value in case["settings"].items():
        [module] = [module for module in modules if hasattr(module, name)]
        setattr(module, name, value)
    sys.argv = ["trigger.py", *case["options"]]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = trigger.main()
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
