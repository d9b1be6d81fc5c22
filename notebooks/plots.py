"""How the notebooks' charts look: fonts for all five languages, one colour a language and a label.

Charts become pictures, which show the same everywhere. For ones that answer to the mouse, run
``alt.renderers.enable("default")`` after :func:`enable`.
"""

from __future__ import annotations

import altair as alt

FONTS = "Noto Sans, Noto Sans Devanagari, DejaVu Sans, sans-serif"
"""The first that has a letter sets it (Debian's package fonts-noto-core has the Noto fonts)."""

LANGUAGES = {"hi": "Hindi", "ro": "Romanian", "tr": "Turkish", "en": "English", "vi": "Vietnamese"}

# Okabe and Ito's palette, which people who see colours differently can tell apart.
LANGUAGE_COLOURS = alt.Scale(
    domain=list(LANGUAGES.values()), range=["#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7"]
)
LABEL_COLOURS = alt.Scale(
    domain=["person", "place", "organisation"], range=["#0072B2", "#009E73", "#E69F00"]
)
LABELS = {"PER": "person", "LOC": "place", "ORG": "organisation"}


def enable() -> None:
    """Let every chart of the notebook look alike."""
    alt.theme.register("exonym", enable=True)(_theme)
    alt.renderers.enable("svg")


def _theme() -> alt.theme.ThemeConfig:
    return {
        "config": {
            "font": FONTS,
            "background": "white",
            "view": {"stroke": None},
            "axis": {
                "domain": False,
                "grid": False,
                "labelFontSize": 12,
                "labelLimit": 260,
                "ticks": False,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
            },
            "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
            "title": {"anchor": "start", "fontSize": 15, "subtitleFontSize": 12, "offset": 12},
        }
    }
