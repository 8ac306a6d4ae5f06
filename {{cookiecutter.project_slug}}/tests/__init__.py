"""The service's tests. They also import from `scripts/`, which is not a package and is put on the path here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
