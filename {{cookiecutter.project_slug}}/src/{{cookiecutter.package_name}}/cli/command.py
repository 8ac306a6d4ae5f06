"""Where the console script and `trigger.py` start. Loads the rest only after Ctrl-C has been taken care of."""

import sys

from .interrupts import end_on_interrupt, raise_on_interrupt

INTERRUPTED = 130  # what a shell shows of a process that Ctrl-C has ended


def main() -> int:
    """Run the command line and return its exit code."""
    end_on_interrupt()
    from . import trigger  # takes about a second

    try:
        raise_on_interrupt()
        return trigger.main()
    except KeyboardInterrupt:  # pressed just before or after trigger.main() would have handled it
        print("error: interrupted; a run may have started", file=sys.stderr)
        return INTERRUPTED
    finally:
        end_on_interrupt()
