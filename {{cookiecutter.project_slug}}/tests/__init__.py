"""The service's tests. They import from scripts/, which is no package: its directory goes on the path here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
