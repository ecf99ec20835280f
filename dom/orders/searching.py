"""What is searched of an order, and how what a person types is read: case, accents and the spelling of a phone number
or a postal code do not matter.
"""

import re
import unicodedata
from typing import Final

from dom.orders.order import Order
from dom.shared.texts import visible

_APOSTROPHES: Final = "'`\u00b4\u02bc\u2018\u2019"
_WRITTEN_APART: Final = str.maketrans(
    {
        **dict.fromkeys(_APOSTROPHES),
        "\u00e6": "ae",
        "\u00f0": "d",
        "\u00f8": "o",
        "\u00fe": "th",
        "\u0111": "d",
        "\u0127": "h",
        "\u0131": "i",
        "\u0142": "l",
        "\u0153": "oe",
    }
)
"""Letters that Unicode does not take apart into a letter and its accent, and what people type for them."""
_PHONE: Final = re.compile(r"[+(0][0-9 ()./-]*")
_TRUNK_ZERO: Final = re.compile(r"\(0\)")
_FEWEST_PHONE_DIGITS: Final = 6
_NO_CODE: Final = re.compile(r"[^0-9A-Z]")


def plain(text: str) -> str:
    """The text in the form in which it is searched: small letters without accents, single spaces, no apostrophes.

    Every script stays as it is: nothing is transliterated.
    """
    folded = visible(text).casefold()
    if not folded.isascii():
        apart = unicodedata.normalize("NFKD", folded)
        folded = unicodedata.normalize("NFC", "".join(each for each in apart if not unicodedata.combining(each)))
    return " ".join(folded.translate(_WRITTEN_APART).split())


def code(text: str) -> str:
    """A postal code or a carrier's number without spaces and marks, in capitals: `LS14AP` for `ls1 4ap`."""
    return _NO_CODE.sub("", unicodedata.normalize("NFKC", text).upper())


def phone_digits(text: str) -> str | None:
    """The digits of a phone number by which it is found, whether it is written as at home or as from abroad; None for
    what is no phone number. Numbers are kept in international form: the prefixes of both ways are left out.
    """
    if not _PHONE.fullmatch(text.strip()):
        return None
    digits = re.sub(r"\D", "", _TRUNK_ZERO.sub("", text)).lstrip("0")
    return digits if len(digits) >= _FEWEST_PHONE_DIGITS else None


def search_text(order: Order) -> str:
    """What a person may type to find the order: its number, name, mail, phone, town, postal code and tags.

    A space stands before and after each word, so that words can be asked for whole.
    """
    who, where = order.customer, order.ship_to
    parts = (order.order_id, order.external_id, who.id, who.name, who.email, who.phone, where.name, where.city)
    told = (*parts, where.postal_code, code(where.postal_code), *order.tags)
    words = dict.fromkeys(filter(None, map(plain, told)))
    return f" {' '.join(words)} "
