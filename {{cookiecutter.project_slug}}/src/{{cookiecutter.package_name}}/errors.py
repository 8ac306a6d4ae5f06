"""The failures that this service expects, and how any failure is told in one line.

A message says what is wrong, where, and what to do, without cell values or host paths: it ends up in logs.
"""


class EtlError(Exception):
    """Base of every failure that the service expects and explains."""

    is_permanent = True  # the same attempt would fail again, so a retry is pointless


class SettingError(EtlError):
    """An environment variable or an argument has a value that cannot be used."""


class SourceError(EtlError):
    """A source is missing, malformed, or changed while it was read; or it lacks what the rules need."""


class RulesError(EtlError):
    """The team's rules failed, or did not return what they must."""


class OutputError(EtlError):
    """The output cannot be written, for example because the disk is full."""

    is_permanent = False


class PayloadError(EtlError):
    """A task's argument or result is not what Render accepts."""


class RunError(EtlError):
    """A run did not complete."""

    is_permanent = False


def explain(error: BaseException) -> str:
    """Return the error in one line: its message, preceded by its type unless the service expects it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, EtlError) else f"{type(error).__name__}: {text}"
