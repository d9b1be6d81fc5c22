import sys

from pipeline.linebreaks import LINE


def test_lines_end_at_every_character_at_which_python_breaks_them_and_at_no_other() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        text = f"a{character}b"
        assert LINE.findall(text) == text.splitlines(), hex(ord(character))


def test_empty_lines_are_none() -> None:
    assert LINE.findall("\n\na\r\n\r\nb\n") == ["a", "b"]
