import pytest

from pipeline.scripts import script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Bișkek", "Latn"),
        ("जापारोव", "Deva"),
        ("ОДКБ", "Cyrl"),
        ("Việt Nam", "Latn"),
        ("ब्रिक्स BRICS शिखर", "Deva"),
        ("2026", "Zyyy"),
        ("", "Zyyy"),
        ("東京", "Hani"),
        ("ኢትዮጵያ", "Zzzz"),
    ],
)
def test_script_of(text: str, script: str) -> None:
    assert script_of(text) == script
