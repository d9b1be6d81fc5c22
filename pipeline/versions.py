"""What must be the same wherever the stages of a run are worked on: the code and its packages."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

_CODE: Final = "exonym's code"


@cache
def code_hash() -> str:
    """Return a hash (64 hex digits) of every file of the package that can change a result."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.suffix in {".cfg", ".py", ".toml", ".tsv"}:
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def installed() -> dict[str, str]:
    """Return the versions of the code, of Python and of every package that exonym requires."""
    found = {_CODE: code_hash()[:12], "python": platform.python_version()}
    for requirement in requires("exonym") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement:
            try:
                found[name] = version(name)
            except PackageNotFoundError:  # not needed on this version of Python
                continue
    return found


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Return what differs between two results of :func:`installed`, for people."""
    return [
        f"{name} {there.get(name, 'missing')} instead of {here.get(name, 'none')}"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
