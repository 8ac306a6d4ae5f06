"""The project's tests.

They also import modules from `scripts/`, which is not a package, so this file adds it to the import path.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
