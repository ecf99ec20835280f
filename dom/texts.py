"""What of a text is seen: names and ids that differ only in what nobody sees are the same to people."""

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_JOINERS: Final = "\u200c\u200d"
"""They shape the letters around them, in Persian, Hindi and emoji; between letters they stay."""


def visible(text: str) -> str:
    """The text without characters nobody sees, with plain spaces, and with nothing around it."""
    seen = (
        " " if character.isspace() else character
        for character in text
        if character.isspace() or character in _JOINERS or unicodedata.category(character) not in _UNSEEN
    )
    return "".join(seen).strip(" " + _JOINERS)


def is_plain_id(text: str) -> bool:
    """Whether an id has only characters that are seen, and none around it that is not."""
    return bool(text) and visible(text) == text


def escaped(text: str) -> str:
    """The text with half a surrogate pair, as of a character that was cut in two, written as its escape: UTF-8 has no
    bytes for it, so it can be neither answered nor kept.
    """
    return text.encode(errors="backslashreplace").decode()
