"""The first orders of a replay for people: each is led into a state worth looking at, most of them into trouble."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

OPENING = 12
"""So many orders are sent at once; the cases are chosen among them."""
FEWEST_UNITS = 2
"""So that one can be missing and the rest goes on."""


class Case(StrEnum):
    """What happens to the order."""

    WAITING = "waiting"
    """Its supplier recalls the goods just before it is placed: it waits for stock."""
    IN_WORK = "in work"
    """A node picked it, and packs it later."""
    REJECTED = "rejected"
    SHORT_PICK = "short pick"
    LOST = "lost"
    BROUGHT_BACK = "brought back"
    """The carrier reports its parcel lost, and later back at its sender."""


LATER = tuple(case for case in Case if case is not Case.WAITING)


def choose_cases(requests: Iterable[Mapping[str, Any]], spoken_for: Iterable[str]) -> dict[str, Case]:
    """A case for some of the orders, by external id.

    Orders that are collected, or that their customers will cancel (`spoken_for`), are left as they are. The one with
    the fewest lines waits, because as few goods as possible should be recalled for it.
    """
    left_alone = set(spoken_for)
    able = [
        request
        for request in requests
        if "pickup_node" not in request
        and request["external_id"] not in left_alone
        and sum(line["quantity"] for line in request["lines"]) >= FEWEST_UNITS
    ]
    if not able:
        return {}
    waiting = min(able, key=lambda request: len(request["lines"]))
    others = [request["external_id"] for request in able if request is not waiting]
    return {waiting["external_id"]: Case.WAITING, **dict(zip(others, LATER, strict=False))}
