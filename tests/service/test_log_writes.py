"""Each event of the log is one write."""

import json
import socket
from collections.abc import Callable

from support.baked import PROGRAMS, BakedProject


def test_each_event_is_one_write(bake_project: Callable[..., BakedProject]) -> None:
    """Render's dev server makes a log entry of each write, so a separate line break would be an empty entry."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)  # keeps writes apart
    project, program = bake_project(), str(PROGRAMS / "log_two_events.py")
    with ours, theirs:
        with project.start("python", program, project.package, stderr=theirs) as process:
            assert process.wait(60) == 0
        ours.settimeout(5)
        assert json.loads(ours.recv(4096)) == {"event": "one", "shard_id": 1}
        assert json.loads(ours.recv(4096)) == {"event": "two"}
