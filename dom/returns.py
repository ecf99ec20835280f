"""The rules of returns: what may come back, and what is refunded for it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic_core import to_json

from dom.orders.status import Disposition
from dom.shared.errors import InvalidInput, NothingToReturn

OTHER_REQUEST: Final = "the Idempotency-Key stands for another request"


def content_hash(lines: Sequence[tuple[str, int]], reason: str, node_id: str | None) -> str:
    """Tells whether two requests for a return of an order ask for the same; lines are (line, units)."""
    return hashlib.sha256(to_json({"lines": lines, "reason": reason, "node_id": node_id})).hexdigest()


def check_returnable(
    asked: Sequence[tuple[str, int]], delivered: Mapping[str, int], returned: Mapping[str, int]
) -> None:
    """Whether the asked (line, units) were delivered and not returned yet.

    Raises InvalidInput for a line the order does not have or one named twice, NothingToReturn for too many units;
    `field` names the line.
    """
    for position, (line_id, quantity) in enumerate(asked):
        if line_id not in delivered:
            raise InvalidInput(f"the order has no line {line_id}", field=f"lines[{position}].line_id")
        if [line for line, _ in asked].index(line_id) < position:
            raise InvalidInput(f"line {line_id} stands twice", field=f"lines[{position}].line_id")
        free = delivered[line_id] - returned.get(line_id, 0)
        if quantity > free:
            raise NothingToReturn(
                f"line {line_id}: {quantity} asked, {free} delivered and not returned yet",
                field=f"lines[{position}].quantity",
                data={"returnable": max(free, 0)},
            )


def check_received(received: Mapping[str, int], announced: Mapping[str, int]) -> None:
    """Whether no more arrived than was announced. Raises InvalidInput."""
    for line_id, quantity in received.items():
        if quantity > announced.get(line_id, 0):
            raise InvalidInput(
                f"line {line_id}: {quantity} received, {announced.get(line_id, 0)} announced", field="lines"
            )


def check_inspected(found: Iterable[tuple[str, Disposition, int]], received: Mapping[str, int]) -> None:
    """Whether every received unit got exactly one disposition. Raises InvalidInput."""
    counted: Counter[str] = Counter()
    for line_id, _, quantity in found:
        counted[line_id] += quantity
    wrong = {i: (counted[i], received.get(i, 0)) for i in {*counted, *received} if counted[i] != received.get(i, 0)}
    if wrong:
        parts = "; ".join(f"line {i}: {got} inspected, {had} received" for i, (got, had) in sorted(wrong.items()))
        raise InvalidInput(f"every received unit needs one disposition ({parts})", field="lines")


def refund_amount(units: Mapping[str, int], unit_prices: Mapping[str, int]) -> int:
    """What is paid back for the received units, in minor units: the price that was paid, whatever becomes of them."""
    return sum(quantity * unit_prices[line_id] for line_id, quantity in units.items())
