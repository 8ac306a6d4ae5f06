"""A command on a pseudo-terminal, as a person sees it. Windows has none."""

import os
import re
import select
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from subprocess import Popen
from typing import Any

from support import processes

CTRL_C, CTRL_D = "\x03", "\x04"
SECONDS = 30  # for what a terminal shows next; the process itself is killed after `processes.START_SECONDS`

# Makes the terminal on stdin the one that controls the process, so that Ctrl-C interrupts it, and runs a command.
_CONTROLLED = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A terminal with a process in it.

    Attributes:
        process: the process.
        shown: everything that the terminal has shown so far, input included, without colors.
    """

    def __init__(self, process: Popen[str], screen: FileIO) -> None:
        self.process = process
        self.shown = ""
        self._screen = screen
        self._seen = 0

    def expect(self, text: str, seconds: float = SECONDS) -> str:
        """Wait for a text after the one that was last expected.

        Returns:
            What the terminal showed before the text.

        Raises:
            AssertionError: the text does not appear in time, or the process has ended without it.
        """
        deadline = time.monotonic() + seconds
        while (found := self.shown.find(text, self._seen)) < 0:
            more = self._read(deadline - time.monotonic())
            assert more, f"not shown: {text!r}; after it was expected:\n{self.shown[self._seen :]}"
        before, self._seen = self.shown[self._seen : found], found + len(text)
        return before

    def type(self, text: str, enter: str = "\n") -> None:
        """Type a text and press Enter."""
        self._screen.write(f"{text}{enter}".encode())

    def press(self, key: str, seconds: float = SECONDS) -> int:
        """Press a key until the process has ended, and return its exit code.

        Once is not always enough: Python keeps reading if Ctrl-C comes after its prompt, but just before it reads.
        """
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.type(key, enter="")
            again = time.monotonic() + 2
            while self.process.poll() is None and time.monotonic() < again:
                if not self._read(0.1):
                    time.sleep(0.02)
        return self.end()

    def end(self, seconds: float = SECONDS) -> int:
        """Wait for the process to end by itself, and return its exit code; `shown` is complete then.

        Raises:
            AssertionError: the process does not end in time.
        """
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        assert time.monotonic() < deadline, f"has not ended:\n{self.shown[self._seen :]}"
        return self.process.wait(processes.END_SECONDS)

    def hang_up(self) -> None:
        """Close the terminal, like a window, while the process still runs, and wait for the process to end."""
        self._screen.close()
        self.process.wait(processes.END_SECONDS)

    def _read(self, seconds: float) -> bool:
        """Read what the terminal shows next; return False at its end, and after so many seconds."""
        if not select.select([self._screen], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = self._screen.read(65536)
        except OSError:  # on Linux, the end: no process has the terminal open any more
            return False
        self.shown = _STYLES.sub("", self.shown + data.decode("utf-8", "replace")).replace("\r", "")
        return bool(data)


@contextmanager
def on_terminal(*command: str, cwd: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command on a terminal of 200 columns for the duration of a `with` block.

    Args:
        *command: program and arguments.
        cwd: working directory.
        environment: all environment variables, except for those about the terminal.
    """
    variables = {**environment, "TERM": "xterm", "COLUMNS": "200", "LINES": "60", "NO_COLOR": "1"}
    controlled = [sys.executable, "-c", _CONTROLLED, *command]
    ours, theirs = os.openpty()
    with FileIO(ours, "r+") as screen, FileIO(theirs, "r+") as terminal:
        streams: dict[str, Any] = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
        with processes.running(controlled, cwd=cwd, environment=variables, **streams) as process:
            terminal.close()  # so that reading the screen ends with the process
            yield Terminal(process, screen)
