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


ENDED = ("refunded", "put_away", "cancelled")


@dataclass
class Return:
    """Goods that come back: units by line, and where to. `parcel`: the work whose parcel the carrier brings back.
    `paid`: what is found is paid back.
    """

    id: str
    lines: dict[str, int]
    node: str
    received: Counter[str] = field(default_factory=Counter)
    inspected: Counter[str] = field(default_factory=Counter)
    released: Counter[str] = field(default_factory=Counter)
    parcel: str | None = None
    paid: bool = True

    @property
    def outstanding(self) -> Counter[str]:
        """Units of each line that are still to come."""
        return Counter(self.lines) - self.received - self.released

    @property
    def uninspected(self) -> Counter[str]:
        """Units of each line that came and were not looked at."""
        return self.received - self.inspected

    @property
    def status(self) -> str:
        """Where it stands."""
        ended = "refunded" if self.paid else "put_away"
        if self.uninspected:
            return "received"
        if self.outstanding:
            return f"part_{ended}" if self.received else "requested"
        return ended if self.received else "cancelled"


def returnable(order: "Order") -> Counter[str]:
    """Units of each line that were delivered, and neither came back nor are to."""
    arrived = sum((Counter(w.units) for w in order.work.values() if w.status in ARRIVED), Counter[str]())
    asked = [each for each in order.returns if each.parcel is None]
    return arrived - sum((Counter(each.lines) - each.released for each in asked), Counter[str]())


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


def receive(order: "Order", back: Return, lines: Mapping[str, int] | None) -> str:
    """Goods arrived; answers what is said to it: "taken", "refused" or "invalid"."""
    if back.status in ENDED:
        return "refused"
    if lines is None:
        if not back.outstanding:
            return "refused" if back.released else "taken"
        units = back.outstanding
    else:
        units = Counter(lines)
        if not units <= Counter(back.lines) - back.received:
            return "invalid"
        if not units <= back.outstanding:
            return "refused"
    back.received += units
    order.told["return_received"] += back.parcel is None
    return "taken"


def cancel(order: "Order", back: Return) -> str:
    """The customer keeps what has not come; answers what is said to it. What a carrier brings back nobody keeps."""
    if back.parcel is not None:
        return "refused"
    if not back.outstanding:
        return "taken" if back.released else "refused"
    back.released = back.outstanding
    order.told["return_cancelled"] += 1
    return "taken"


def inspect(order: "Order", back: Return, found: Found) -> str:
    """What becomes of the goods; answers what is said to it."""
    if not back.uninspected:
        return "refused"
    counted: Counter[str] = Counter()
    for line, _, n in found:
        counted[line] += n
    if not counted <= back.uninspected:
        return "invalid"
    back.inspected += counted
    order.told["refunded"] += back.paid
    for line, disposition, n in found:
        at = back.node, order.skus[line]
        if disposition == "restock":
            order.stock[at] += n
        elif disposition in {"quarantine", "refurbish"}:
            order.quarantine[at] += n
    return "taken"
