"""Where a text's lines end, for the stages that must agree about it."""

from __future__ import annotations

from typing import Final

import regex

LINE: Final = regex.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
"""A run without any character at which ``str.splitlines`` breaks."""
