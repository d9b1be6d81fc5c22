from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

from pipeline.logs import JsonLog


def test_every_line_is_an_object_with_a_time_and_an_event() -> None:
    stream = io.StringIO()
    log = JsonLog(stream)
    log.begin("ingest", 3, "files")
    log.advance(2)
    log.advance()
    log.end()
    log.write("run ended", error="two\nlines", path=Path("ş"))
    began, ended, last = map(json.loads, stream.getvalue().splitlines())
    assert {"event": "stage began", "stage": "ingest", "total": 3, "unit": "files"}.items() <= (
        began.items()
    )
    assert (ended["event"], ended["done"]) == ("stage ended", 3)
    assert ended["seconds"] >= 0
    assert (last["error"], last["path"]) == ("two\nlines", "ş")
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in (began, ended, last))
