"""Returns of an order, as the model has them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.model import Order

ARRIVED = ("delivered", "collected")
Found = Sequence[tuple[str, str, int]]
"""Line, disposition and units."""


@dataclass
class Return:
    """Goods that come back: units by line, and where to."""

    id: str
    lines: dict[str, int]
    node: str
    status: str = "requested"
    received: dict[str, int] = field(default_factory=dict)
    found: Found = ()


def returnable(order: "Order") -> Counter[str]:
    """Units of each line that were delivered and are in no return."""
    arrived = sum((Counter(w.units) for w in order.work.values() if w.status in ARRIVED), Counter[str]())
    return arrived - sum((Counter(each.lines) for each in order.returns), Counter[str]())


def possible(order: "Order", lines: Mapping[str, int]) -> bool:
    """Whether a return of these units is allowed."""
    return all(n <= returnable(order)[line] for line, n in lines.items())


def goes_to(order: "Order", lines: Mapping[str, int]) -> str:
    """The node that shipped the first line; of some, the first by name."""
    first = next(iter(lines))
    return min(w.node for w in order.work.values() if w.status in ARRIVED and w.units.get(first))


def request(order: "Order", id_: str, lines: Mapping[str, int]) -> None:
    """It is allowed."""
    order.returns.append(Return(id_, dict(lines), goes_to(order, lines)))
    order.told["return_requested"] += 1


def receive(order: "Order", back: Return, lines: Mapping[str, int] | None) -> set[str]:
    """The goods arrived; answers what may be said to it: "taken", "refused" or "invalid"."""
    units = back.lines if lines is None else dict(lines)
    if back.status == "refunded":  # its process may be over, or have a message left to send
        return {"taken", "refused", "invalid"}
    if any(n > back.lines.get(line, 0) for line, n in units.items()):
        return {"invalid"}
    if back.status == "received":
        return {"taken"} if back.received == units else {"refused"}
    back.status, back.received = "received", dict(units)
    order.told["return_received"] += 1
    return {"taken"}


def inspect(order: "Order", back: Return, found: Found) -> set[str]:
    """What becomes of the goods; answers what may be said to it."""
    if back.status == "refunded":
        return {"taken", "refused", "invalid"}
    if back.status == "requested":
        return {"refused"}
    counted: Counter[str] = Counter()
    for line, _, n in found:
        counted[line] += n
    if counted != Counter(back.received):
        return {"invalid"}
    back.status, back.found = "refunded", found
    order.told["refunded"] += 1
    for line, disposition, n in found:
        at = back.node, order.skus[line]
        if disposition == "restock":
            order.stock[at] += n
        elif disposition in {"quarantine", "refurbish"}:
            order.quarantine[at] += n
    return {"taken"}
