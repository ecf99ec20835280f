"""Goods that wait at their node for the customer: the code for which they are given out, and how long they are kept."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from dom.shared.base import Value

CODE_LETTERS: Final = "23456789BCDFGHJKMNPQRSTVWXZ"
"""What codes are made of: nothing that is taken for another letter or digit, and no vowel, so that no word comes up."""
CODE_LENGTH: Final = 6
MOST_WRONG_CODES: Final = 5
"""After so many wrong codes no code counts any more, and a person has to look at it."""


class Pickup(Value):
    """Until when goods are kept (`collect_by`), and the code that whoever fetches them must say; without
    `code_required` they are given out without one, too.

    `reminders`: when the customer is still to be reminded, earliest first. `wrong_codes`, `reminded` and `kept` count
    wrong codes, reminders that were sent, and how often the time was extended.
    """

    code: str
    collect_by: datetime
    code_required: bool = True
    reminders: tuple[datetime, ...] = ()
    wrong_codes: int = 0
    reminded: int = 0
    kept: int = 0

    @property
    def locked(self) -> bool:
        """Whether too many wrong codes were said."""
        return self.wrong_codes >= MOST_WRONG_CODES

    def is_code(self, said: str) -> bool:
        """Whether it is the code, as people write it: small letters, spaces and hyphens do not matter."""
        return hmac.compare_digest(plain(said).encode(), self.code.encode())

    def due(self, at: datetime) -> bool:
        """Whether a reminder is to be sent."""
        return bool(self.reminders) and self.reminders[0] <= at

    def after(self, at: datetime) -> tuple[datetime, ...]:
        """The reminders that are still to come."""
        return still_to_come(self.reminders, at)


def plain(said: str) -> str:
    """A code as it was said, without what does not matter."""
    return "".join(letter for letter in said.upper() if letter.isalnum())


def still_to_come(moments: Iterable[datetime], at: datetime) -> tuple[datetime, ...]:
    """The moments after that one, each once, the earliest first."""
    return tuple(sorted({moment for moment in moments if moment > at}))
