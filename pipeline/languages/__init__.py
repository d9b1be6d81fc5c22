"""All that is special to one language, one module a language.

``get("tr")`` gives the rules of Turkish. Every module implements
:class:`pipeline.languages.base.Language`; word lists and rules stand in ``data/<code>.toml``.
"""

from __future__ import annotations

from typing import Final

from pipeline.languages import en, hi, ro, tr, und, vi
from pipeline.languages.base import Language, Reading

__all__ = ["CODES", "Language", "Reading", "get"]

_LANGUAGES: Final[dict[str, Language]] = {
    language.code: language
    for language in (
        hi.Hindi(),
        ro.Romanian(),
        tr.Turkish(),
        en.English(),
        vi.Vietnamese(),
        und.Undetermined(),
    )
}

CODES: Final = tuple(_LANGUAGES)
"""The codes that :func:`get` knows."""


def get(code: str) -> Language:
    """Return the rules of the language with this code.

    Raises ``KeyError`` for a code without rules.
    """
    try:
        return _LANGUAGES[code]
    except KeyError:
        known = ", ".join(CODES)
        raise KeyError(f"no rules for language {code!r}; there are rules for {known}") from None
