"""Print the next steps. This hook does nothing else."""

import shlex
from pathlib import Path

print(f"""
Your project is ready. Next, with Python 3.11 or newer, run:

  cd {shlex.quote(str(Path.cwd()))}
  make run    # installs it, makes sample data, runs {{ cookiecutter.shard_count }} {{ 'shard' if cookiecutter.shard_count == '1' else 'shards' }} and prints the summary
  make test   # runs the project's tests

README.md says what to edit and how to deploy.
""")
