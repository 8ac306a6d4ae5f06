"""Prints the source's name of each file, as JSON. Arguments: the project's package, then the files."""

import importlib
import json
import sys

settings = importlib.import_module(f"{sys.argv[1]}.settings")
print(json.dumps([settings.source_name(file) for file in sys.argv[2:]]))
