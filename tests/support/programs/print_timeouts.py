"""Prints the timeouts of a shard and of a run, in seconds, as JSON. Argument: the project's package."""

import importlib
import json
import sys

settings = importlib.import_module(f"{sys.argv[1]}.settings")
print(json.dumps([settings.SHARD_TIMEOUT_SECONDS, settings.RUN_TIMEOUT_SECONDS]))
