"""Card numbers, told from other numbers: they are never kept."""

import re
from typing import Final

_RUN: Final = re.compile(r"[0-9](?:[ .-]?[0-9]){12,}")
_LENGTHS: Final = range(13, 20)


def holds_card_number(text: str) -> bool:
    """Whether the text has a run of 13 to 19 digits that passes the Luhn check, as every card number does. Spaces, dots
    and hyphens between the digits do not matter; zeros alone are no card.
    """
    for run in _RUN.findall(text):
        digits = [int(character) for character in run if character.isdigit()]
        if len(digits) in _LENGTHS and any(digits) and _luhn(digits):
            return True
    return False


def _luhn(digits: list[int]) -> bool:
    """Every second digit from the right is doubled, its digits summed up: the sum of all is a multiple of 10."""
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
