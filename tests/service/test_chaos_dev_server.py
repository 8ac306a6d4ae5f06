"""The chaos drill passes on Render's own dev server, whatever the team's `.env` says."""

import pytest

from support import chaos, dev_server
from support.baked import BakedProject


@pytest.mark.slow
@pytest.mark.skipif(not dev_server.HAS_CLI, reason="the Render CLI is not on PATH")
@pytest.mark.parametrize("mode", ["raise", "kill"])
def test_the_drill_passes_on_the_dev_server(chaos_project: BakedProject, mode: str) -> None:
    (chaos_project.path / ".env").write_text("OUTPUT_URI=elsewhere\nSHARD_COUNT=2\n", encoding="utf-8")
    try:
        chaos.assert_recovered(chaos.run_drill(chaos_project, "--dev-server", "--mode", mode))
    finally:
        (chaos_project.path / ".env").unlink()
