"""Whether two decisions are the same, and where they part."""

from collections.abc import Iterator
from typing import Final

from dom.sourcing.models import PlannedShipment, SourcingDecision

_PLAN: Final = ("unfilled", "outcome", "strategy", "relaxed", "retry", "next_release", "currency")
_EXPLANATION: Final = (
    "candidates", "runner_up", "reasons", "tried", "exact", "gap", "plans_compared", "others", "passed_over",
)  # fmt: skip
_SHOWN: Final = 120
"""Characters of a value that are shown."""


def same_plan(one: SourcingDecision, other: SourcingDecision) -> bool:
    """Whether the same units go from the same nodes by the same service on the same day, whatever they cost."""
    return one.unfilled == other.unfilled and one.outcome == other.outcome and _moves(one) == _moves(other)


def plan_differences(one: SourcingDecision, other: SourcingDecision) -> tuple[str, ...]:
    """In which parts of the plan two decisions differ: shipments, cost, and what follows. Empty: not at all."""
    return tuple(_differences(one, other))


def explanation_differences(one: SourcingDecision, other: SourcingDecision) -> tuple[str, ...]:
    """In which parts of the explanation they differ."""
    return tuple(name for name in _EXPLANATION if getattr(one, name) != getattr(other, name))


def _differences(one: SourcingDecision, other: SourcingDecision) -> Iterator[str]:
    if one.shipments != other.shipments:
        if _moves(one) != _moves(other):
            yield f"shipments: {_nodes(one)} was decided, now {_nodes(other)}"
        elif one.cost != other.cost:
            yield f"cost: {one.cost} was decided, now {other.cost}"
        else:
            yield "shipments: the same goods from the same nodes, otherwise described"
    for name in _PLAN:
        was, now = getattr(one, name), getattr(other, name)
        if was != now:
            yield f"{name}: {str(was)[:_SHOWN]} was decided, now {str(now)[:_SHOWN]}"


def _moves(decision: SourcingDecision) -> list[tuple[object, ...]]:
    return sorted([_move(shipment) for shipment in decision.shipments], key=str)


def _move(shipment: PlannedShipment) -> tuple[object, ...]:
    units = sorted((line.line_id, line.sku, line.quantity) for line in shipment.lines)
    return (shipment.node_id, shipment.carrier, shipment.service, shipment.ship_day, units)


def _nodes(decision: SourcingDecision) -> str:
    return " + ".join(shipment.node_id for shipment in decision.shipments) or "nothing"
