"""What Ctrl-C does: end the process at once, or raise KeyboardInterrupt. Imports little, because it comes first."""

import signal


def end_on_interrupt() -> None:
    """Leave Ctrl-C to the system, which ends the process and prints nothing.

    For imports: a KeyboardInterrupt in the middle of one prints a traceback. If the process was started with Ctrl-C
    ignored, as in the background of a script, it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_on_interrupt() -> None:
    """Undo `end_on_interrupt`: Ctrl-C raises KeyboardInterrupt, which a run handles."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
