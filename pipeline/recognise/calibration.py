"""From a model's own score to the probability that a span is right."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_CLOSEST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling of a score's log-odds (Platt 1999); the default changes nothing."""

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def from_file(cls, path: Path) -> Calibration:
        """Read what :meth:`save` wrote; the default where there is no file."""
        if not path.is_file():
            return cls()
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Write the two numbers as JSON."""
        path.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    def apply(self, score: float) -> float:
        """Return the probability, 0 to 1, for a score from 0 to 1."""
        return 1 / (1 + math.exp(-(self.slope * log_odds(score) + self.offset)))


def log_odds(score: float) -> float:
    """Return the logarithm of score by one minus score, its ends cut to stay finite."""
    bounded = min(max(score, _CLOSEST), 1 - _CLOSEST)
    return math.log(bounded / (1 - bounded))
