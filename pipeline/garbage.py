"""How often Python looks for objects that refer to each other and that nobody needs."""

from __future__ import annotations

import gc
from typing import Final

_OBJECTS_BETWEEN: Final = 10_000


def collect_seldom() -> None:
    """Let this process look for cycles after 10,000 new objects instead of Python's 700.

    Runs keep much and leave few cycles: looking for them so often takes a tenth of the time of
    resolving names that were met before, and as much or more of giving ids.
    """
    gc.set_threshold(_OBJECTS_BETWEEN)
