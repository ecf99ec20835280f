"""Draws that always fall the same way: SHA-256 of a key instead of a random number generator."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def number(*key: object) -> int:
    """Whole number below 2**64 that depends on nothing but the key."""
    text = "\x1f".join(str(part) for part in key)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def fraction(*key: object) -> float:
    """Number from 0 (included) to 1 (excluded), evenly spread over keys."""
    return number(*key) / 2**64


def one_of(choices: Sequence[T], *key: object) -> T:
    """One of the choices, each as likely as the other."""
    return choices[number(*key) % len(choices)]


def by_share(shares: Mapping[T, int], *key: object) -> T:
    """One of the mapping's keys, as likely as its share of the sum."""
    rest = number(*key) % sum(shares.values())
    for choice, share in shares.items():
        if rest < share:
            return choice
        rest -= share
    raise AssertionError("the rest is below the sum of the shares")
