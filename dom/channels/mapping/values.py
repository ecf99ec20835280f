"""From what a message holds to a value of a field's type: numbers, amounts, times, flags."""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from dom.shared.money import decimals

Numbers = Literal["point", "comma", "either"]

_SPACES: Final = re.compile("[ \u00a0\u202f'\u2019]")
"""What stands between thousands beside points and commas: blanks, also unbroken and narrow, and apostrophes."""
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*")
_AROUND: Final = re.compile(r"^[^\d+\-.,(]+|[^\d)]+$")
"""A currency's mark before or after an amount."""
_EPOCH: Final = re.compile(r"\d{9,11}|\d{12,14}")
_MILLISECONDS_FROM: Final = 12
_LONGEST: Final = 100
"""Characters of a number. Taking marks off longer texts costs the square of their length."""
_MOST_DIGITS: Final = 30
"""Before its decimals. `1e999999` is a number too, and would be written out digit by digit."""
_TRUE: Final = frozenset({"true", "1", "yes", "y", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "n", "off", ""})


class Unfit(ValueError):
    """What stands there is no value of the type."""


def number(given: Any, marks: Numbers) -> Decimal:
    """A number as people and programs of all countries write it. Raises Unfit, also where it can be read in two ways.

    With `either` the mark that comes last is the decimal one; `1.234` could be a thousand or one, and is refused.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        raise Unfit("no number")
    if not isinstance(given, str):
        return _finite(str(given))
    if len(given) > _LONGEST:
        raise Unfit("no number: it is too long")
    text = _AROUND.sub("", given.replace("\u2212", "-").strip())
    negative = text.startswith("(") and text.endswith(")")
    text = text.strip("()")
    plain = _plain(text, marks)
    return -_finite(plain) if negative else _finite(plain)


def _plain(text: str, marks: Numbers) -> str:
    bare = _SPACES.sub("", text)
    if marks == "point":
        return bare.replace(",", "") if _is_grouped(bare, ",", ".") else bare
    if marks == "comma":
        return bare.replace(".", "").replace(",", ".") if _is_grouped(bare, ".", ",") else bare.replace(",", ".")
    comma, point = bare.rfind(","), bare.rfind(".")
    if comma < 0 and point < 0:
        return bare
    if comma >= 0 and point >= 0:
        return _plain(bare, "comma" if comma > point else "point")
    mark = "," if comma >= 0 else "."
    if bare.count(mark) > 1:
        return bare.replace(mark, "")
    if _GROUPED.fullmatch(bare) and not bare.lstrip("+-").startswith("0"):
        raise Unfit("it can be read as a number with thousands or with decimals")
    return bare.replace(",", ".")


def _is_grouped(text: str, group: str, mark: str) -> bool:
    whole, _, rest = text.partition(mark)
    return group in whole and group not in rest and re.fullmatch(r"[+-]?\d{1,3}(\D\d{3})+", whole) is not None


def _finite(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise Unfit("no number") from error
    if not found.is_finite():
        raise Unfit("no number")
    if found and abs(found.adjusted()) > _MOST_DIGITS:
        raise Unfit("no number that anything costs or counts")
    return found or Decimal(0)


def count(given: Any, marks: Numbers) -> int:
    """A whole number. Raises Unfit for one with a fraction."""
    found = number(given, marks)
    if found != found.to_integral_value():
        raise Unfit("no whole number")
    return int(found)


def amount(given: Any, marks: Numbers, currency: str, *, minor: bool) -> tuple[int, Decimal]:
    """An amount in minor units, and what was rounded off it, in minor units. Half a unit goes to the even side."""
    exact = number(given, marks)
    if not minor:
        exact *= Decimal(10) ** decimals(currency)
    whole = exact.to_integral_value(ROUND_HALF_EVEN)
    return int(whole), exact - whole


def moment(given: Any, zone: ZoneInfo, form: str | None) -> str:
    """A point in time as RFC 3339 writes it, in UTC. One that comes without an offset is read on the zone's clock."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise Unfit("no time")
    text = str(given).strip()
    try:
        if form is not None:
            at = datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
        elif _EPOCH.fullmatch(text):
            at = datetime.fromtimestamp(int(text) / (1000 if len(text) >= _MILLISECONDS_FROM else 1), UTC)
        else:
            at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise Unfit("no time" + ("" if form is None else f" in the form {form}")) from error


def flag(given: Any) -> bool:
    """A truth value, in words and numbers, too."""
    if isinstance(given, bool):
        return given
    text = str(given).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise Unfit("neither yes nor no")


def plain_text(given: Any) -> str:
    """A text; of a number its digits. Raises Unfit for a list or a mapping."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        return given
    if isinstance(given, int | float | Decimal):
        return str(int(given)) if isinstance(given, float) and given.is_integer() else str(given)
    raise Unfit("no text")
