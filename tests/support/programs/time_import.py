"""Prints what an import takes in milliseconds, and all modules loaded after it, as JSON. Argument: a module."""

import json
import sys
import time
from importlib import import_module

started = time.perf_counter()
import_module(sys.argv[1])
json.dump({"ms": (time.perf_counter() - started) * 1000, "modules": list(sys.modules)}, sys.stdout)
