"""Chance that falls the same way in every run: drawn from the name of what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import TypeVar

_SPACE = 2**64

Outcome = TypeVar("Outcome")


def draw(*about: object) -> float:
    """A number from 0 up to, not including, 1 that depends on nothing but what it is about."""
    digest = blake2b("|".join(map(str, about)).encode(), digest_size=8).digest()
    # Divided as integers first: the largest digests would round to 1.0.
    return (int.from_bytes(digest) >> 11) / (_SPACE >> 11)


def happens(share: float, *about: object) -> bool:
    """Whether this is one of the `share` (0 to 1) of cases."""
    return draw(*about) < share


def choose(shares: Mapping[Outcome, float], *about: object) -> Outcome:
    """One of the outcomes, each in its share of the cases; the shares add up to 1."""
    left = draw(*about)
    for outcome, share in shares.items():
        left -= share
        if left < 0:
            return outcome
    return next(reversed(list(shares)))
