"""Errors that end a command, each with its exit code.

The message of every one is a single line that says what is wrong and what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class ExonymError(Exception):
    """A command cannot go on; nothing was published."""

    exit_code: ClassVar[int] = 1


class UsageError(ExonymError):
    """Wrong arguments, configuration or source path."""

    exit_code: ClassVar[int] = 2


class LockedError(ExonymError):
    """Another run holds the output folder's lock."""

    exit_code: ClassVar[int] = 3


class HeldBackError(ExonymError):
    """A publish gate held the night back: it is staged, and what was live stays live."""

    exit_code: ClassVar[int] = 4


class StoppedError(BaseException):
    """The process was asked to stop (SIGTERM); the next run resumes.

    No :class:`Exception`, so that nothing that sets a bad document aside takes it for one.
    """

    exit_code: ClassVar[int] = 143
