"""Tracking numbers in the form of UPU standard S10: two letters, eight digits, a check digit, the country.

Source: Universal Postal Union, S10 "Identification of postal items: 13-character identifier".
"""

import hashlib
from string import ascii_uppercase
from typing import Final

_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_SERIALS: Final = 10 ** len(_WEIGHTS)
_FREE_RANGES: Final = "BDNPZ"
"""First letters that S10 leaves to domestic and bilateral use, so that no number looks like a postal operator's."""


def check_digit(serial: str) -> int:
    """The check digit of an eight-digit serial number: 11 less the weighted sum modulo 11; 10 becomes 0, 11 becomes 5.

    ValueError for anything but eight digits.
    """
    if len(serial) != len(_WEIGHTS) or not (serial.isascii() and serial.isdigit()):
        raise ValueError(f"{serial!r} is not a serial number of eight digits")
    digit = 11 - sum(weight * int(figure) for weight, figure in zip(_WEIGHTS, serial, strict=True)) % 11
    return {10: 0, 11: 5}.get(digit, digit)


def tracking_number(seed: str, country: str) -> str:
    """The number that belongs to a seed; always the same one.

    The 13,000,000,000 numbers a country has are spread by SHA-256: two seeds share one with a chance of 4 in 1,000
    among 10,000 shipments, 1 in 3 among 100,000. What must be unique is the booking key.
    """
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    drawn, number = divmod(drawn, _SERIALS)
    drawn, second = divmod(drawn, len(ascii_uppercase))
    first = _FREE_RANGES[drawn % len(_FREE_RANGES)]
    serial = f"{number:08d}"
    return f"{first}{ascii_uppercase[second]}{serial}{check_digit(serial)}{country}"


def spaced(number: str) -> str:
    """The number as people read it: `RA 473 124 829 GB`."""
    return " ".join((number[:2], number[2:5], number[5:8], number[8:11], number[11:]))
