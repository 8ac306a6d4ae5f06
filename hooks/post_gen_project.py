"""Print the next steps. This hook does nothing else.

It is silent where cruft renders into temporary directories, to compare two states of the template.
"""

import shlex
from pathlib import Path

# The name is undefined where cruft renders this text with the extension of an older template.
compared_by_cruft = "{{ 'yes' if compared_by_cruft is defined and compared_by_cruft else '' }}"

if not compared_by_cruft:
    print(f"""
Your project is ready. Next, with Python 3.11 or newer, run:

  cd {shlex.quote(str(Path.cwd()))}
  make run    # installs it, makes sample data, runs {{ cookiecutter.shard_count }} {{ 'shard' if cookiecutter.shard_count == '1' else 'shards' }} and prints the summary
  make test   # runs the project's tests

README.md says what to edit and how to deploy.
""")
