"""Print the next steps, and do nothing else."""

import shlex
from pathlib import Path

print(f"""
Your project is ready. Next, with Python 3.11 or newer:

  cd {shlex.quote(str(Path.cwd()))}
  make run    # installs it, makes sample data, runs {{ cookiecutter.shard_count }} shards and prints the summary
  make test   # its own tests

Then read README.md: what to change, and how to deploy.
""")
