"""The project's tests.

They import modules from `scripts/`, which is not a package, so its directory is added to the import path here.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
