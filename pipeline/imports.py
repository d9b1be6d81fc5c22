"""What need not be loaded: pyarrow looks for pandas before it makes its first array of a list."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

import pyarrow as pa

_PANDAS: Final = "pandas"


def spare_pandas() -> None:
    """Keep pyarrow from loading pandas in this process until somebody asks for a data frame.

    That takes a quarter of a second and 40 MB, and pandas is only looked for in case a list were a
    series of its own: until then it would be taken for any sequence. pyarrow looks once, and again
    where it needs it (``Table.to_pandas``). Nothing happens where pandas is loaded already.
    """
    if _PANDAS in sys.modules:
        return
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(hidden)


class _Hidden(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise for pandas; leave all else to others."""
        if fullname == _PANDAS:
            raise ModuleNotFoundError(f"{fullname} is not looked for yet", name=fullname)
        return None
