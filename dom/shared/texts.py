"""What of a text is seen: names and ids that differ only in what nobody sees are the same to people. And
days in words.
"""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

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
    """Whether an id has only characters that are seen, single spaces inside at most, and nothing around it."""
    return bool(text) and " ".join(visible(text).split()) == text and not any(mark in text for mark in _JOINERS)


_WRITTEN_BY_PEOPLE: Final = frozenset(
    {"actor", "attributes", "city", "customer_class", "description", "line_id", "lines", "name", "place", "postal_code"}
    | {"reason", "region", "tags"}
)
"""Fields that hold what people write, and line ids, which are corrected in orders too. Other ids stay as they came."""
_OF_NO_WEIGHT: Final = "place"
"""Where a carrier scanned a parcel: a scan counts, so the NUL character, which no other text may have, is left out."""
_DEPTH: Final = 20
"""No body is nested so deep; what is below is left alone."""


def as_seen(body: Any, field: str = "", depth: int = 0) -> Any:
    """A request's body in which the texts that people wrote are as people see them; the rest is left as it came.

    A text of which nothing is left is empty, for the model to refuse where it may not be; a tag is gone, as in orders.
    """
    if isinstance(body, str):
        written = field in _WRITTEN_BY_PEOPLE and ("\0" not in body or field == _OF_NO_WEIGHT)
        return visible(body) if written else body
    if depth > _DEPTH:
        return body
    if isinstance(body, Mapping):
        return {
            name: as_seen(each, field if field == "attributes" else str(name), depth + 1) for name, each in body.items()
        }
    if isinstance(body, list):
        seen = [as_seen(each, field, depth + 1) for each in body]
        return [each for each in seen if each != ""] if field == "tags" else seen
    return body


def keepable(text: str) -> str:
    """The text as PostgreSQL can keep it: `escaped`, and without the NUL character. For what others say of failures."""
    return escaped(text.replace("\0", ""))


def escaped(text: str) -> str:
    """The text with half a surrogate pair, as of a character that was cut in two, written as its escape: UTF-8 has no
    bytes for it, so it can be neither answered nor kept.
    """
    return text.encode(errors="backslashreplace").decode()


def day_in_words(at: date) -> str:
    """A day, as customers read it."""
    return f"{at:%A} {at.day} {at:%B %Y}"


def moment_in_words(at: datetime) -> str:
    """A moment, as customers read it."""
    return f"{day_in_words(at.astimezone(UTC))}, {at.astimezone(UTC):%H:%M} UTC"
