"""Child processes that end: every wait has a limit, and a process is killed with the block that started it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Timer
from typing import Any

Command = Sequence[str | Path]

RUN_SECONDS = 600  # for a command that installs packages or runs a project's own tests
START_SECONDS = 60  # for a process that a test controls
END_SECONDS = 10  # for a process that was killed

HAS_PROC = Path("/proc/self/environ").exists()  # `find_marked` needs it


@contextmanager
def running(
    command: Command,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    limit: float = START_SECONDS,
    **streams: Any,
) -> Iterator[Popen[str]]:
    """Run a process, in a session of its own, for the duration of a `with` block.

    Reading from the process's pipes needs no limit of its own: the process is killed at its limit, which closes them.

    Args:
        command: program and arguments; the program is looked up on the PATH in `environment`.
        cwd: working directory.
        environment: all environment variables of the process.
        limit: seconds until the process is killed, even if the block still runs.
        **streams: `stdin`, `stdout` and `stderr` as for `subprocess.Popen`.

    Yields:
        The process, with text streams in UTF-8.
    """
    process = Popen(command, cwd=cwd, env=environment, encoding="utf-8", start_new_session=True, **streams)
    try:
        with killed_after(process, limit):
            yield process
    finally:
        end(process)


@contextmanager
def killed_after(process: Popen[str], seconds: float) -> Iterator[None]:
    """Kill a process if the block takes longer, so that whatever the block waits for ends."""
    timer = Timer(seconds, kill_session, [process])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def run(
    command: Command,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    typed: str | None = None,
    limit: float = RUN_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and collect its output.

    Args:
        command: program and arguments, as for `running`.
        cwd: working directory.
        environment: all environment variables of the process.
        typed: text for its stdin, which is empty otherwise.
        limit: seconds that it may take.

    Returns:
        The exit code and the text of both streams; a failed command does not raise.

    Raises:
        subprocess.TimeoutExpired: the command took longer and was killed.
    """
    streams = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
    # The limit of `running` comes later, so that `communicate` raises and its error holds the output so far.
    with running(command, cwd=cwd, environment=environment, limit=limit + END_SECONDS, **streams) as process:
        out, err = process.communicate(typed or "", timeout=limit)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def end(process: Popen[str]) -> None:
    """Kill what still runs in a process's session, wait for the process, and close its pipes."""
    kill_session(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with suppress(BrokenPipeError):
                stream.close()
    process.wait(END_SECONDS)


def kill_session(process: Popen[str]) -> None:
    """Kill a process and all others in its session, whatever their groups; do nothing if it has ended."""
    if process.poll() is not None:  # its id may belong to another process by now
        return
    if not hasattr(os, "killpg"):
        process.kill()
        return
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(directory.name)) == process.pid:
                os.kill(int(directory.name), signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # where there is no /proc


def find_marked(mark: str) -> list[int]:
    """Return the ids of the processes with `PROCESS_MARK=<mark>` in their environment; zombies have none."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environment = (directory / "environ").read_bytes()
        except OSError:
            continue
        if f"PROCESS_MARK={mark}\0".encode() in environment:
            found.append(int(directory.name))
    return found


def wait_until(
    condition: Callable[[], bool], expected: str, seconds: float = 20, pause: float = 0.05
) -> None:
    """Return as soon as a condition holds.

    Args:
        condition: is called again and again.
        expected: what it waits for, for the message of the failure.
        seconds: how long to wait.
        pause: seconds between two calls.

    Raises:
        AssertionError: the condition does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {expected}"
        time.sleep(pause)
