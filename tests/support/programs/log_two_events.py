"""Logs two events. Argument: the project's package."""

import importlib
import sys

log = importlib.import_module(f"{sys.argv[1]}.log")
log.event("one", shard_id=1)
log.event("two")
