"""Which units a reservation would get, and what may be promised with them; nothing is changed by asking.

What is promised is what is held: the planner decides which node gives what, on the snapshot an order is planned on.
"""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import Node, ShippingMethod
from dom.shared.errors import StockConflict, UnknownNode
from dom.sourcing.models import Demand, DemandLine, SourcingDecision
from services.planning import SnapshotTerms, plan_units
from store.database.parameters import to_json
from store.network.reference import ReferenceCache
from store.sourcing import snapshot
from store.stock.soft import SoftUnits


@dataclass(frozen=True, slots=True)
class SoftReservationLine:
    """Units of a SKU; either every line of a request names its node, or OFL chooses."""

    sku: str
    quantity: int
    node_id: str | None = None
    unit_price: int | None = None


@dataclass(frozen=True, slots=True)
class SoftReservationRequest:
    """What an owner wants held for `seconds`, and where it would go: that decides which nodes can give it."""

    channel: str
    owner: str
    reason: str
    seconds: int
    lines: tuple[SoftReservationLine, ...]
    country: str
    postal_code: str = ""
    shipping_method: ShippingMethod = ShippingMethod.STANDARD
    pickup_node: str | None = None
    currency: str = "GBP"
    tags: tuple[str, ...] = ()
    customer_class: str = ""
    region: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "SoftReservationRequest":
        """What was asked, as it is kept with a reservation (`asdict`, as JSON)."""
        lines = tuple([SoftReservationLine(**line) for line in asked["lines"]])
        method = ShippingMethod(asked["shipping_method"])
        return cls(**{**asked, "lines": lines, "shipping_method": method, "tags": tuple(asked["tags"])})

    def content_hash(self) -> str:
        """Tells whether two requests ask for the same."""
        return hashlib.sha256(to_json(asdict(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Given:
    """The units to take, and the promise made with them, as JSON; none where the caller named the nodes."""

    units: tuple[SoftUnits, ...]
    promise: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """Units of a line, by its position from 0, that an order would not get; `never`: no node may ever give them."""

    index: int
    sku: str
    quantity: int
    never: bool = False


@dataclass(frozen=True, slots=True)
class ReservationOutcome:
    """What a reservation comes to if it is ordered now: the promise, as JSON, and what the order would not get."""

    promise: Mapping[str, Any] | None
    lacking: tuple[Lacking, ...] = ()


async def given_for(
    connection: AsyncConnection,
    reference: ReferenceCache,
    wanted: SoftReservationRequest,
    soft_id: str,
    *,
    at: datetime,
    own: str | None = None,
) -> Given:
    """The units as OFL chooses them, or as the caller named them; what the reservation `own` holds is free.

    Raises StockConflict with what is available by line, if not all of it is; UnknownSku, UnknownNode.
    """
    if all(line.node_id for line in wanted.lines):
        return await _named(connection, reference, wanted, at, own)
    return await _planned(connection, reference, wanted, soft_id, at, own)


async def outcome_of(
    connection: AsyncConnection, reference: ReferenceCache, held: SoftReservationRequest, soft_id: str, *, at: datetime
) -> ReservationOutcome:
    """What an order of the reservation would be promised at that moment: nodes and calendars may have changed since.

    Of units at nodes that the caller named it is only said whether such a node still works, or hands out.
    """
    if all(line.node_id for line in held.lines):
        nodes = {node.id: node for node in (await reference.now(connection)).nodes}
        closed = [
            Lacking(index, line.sku, line.quantity)
            for index, line in enumerate(held.lines)
            if not _works(nodes.get(line.node_id or ""), held)
        ]
        return ReservationOutcome(None, tuple(closed))
    decision = await _decided(connection, reference, held, soft_id, at, soft_id)
    promise = decision.promise
    return ReservationOutcome(
        promise.model_dump(mode="json") if promise else None,
        tuple(
            [
                Lacking(int(line.line_id), line.sku, line.quantity, line.line_id in decision.cannot_be_sourced)
                for line in decision.unfilled
            ]
        ),
    )


def _works(node: Node | None, held: SoftReservationRequest) -> bool:
    return node is not None and node.active and (held.pickup_node is None or node.pickup)


async def _planned(
    connection: AsyncConnection,
    reference: ReferenceCache,
    wanted: SoftReservationRequest,
    soft_id: str,
    at: datetime,
    own: str | None,
) -> Given:
    decision = await _decided(connection, reference, wanted, soft_id, at, own)
    lacking = {int(line.line_id): line.quantity for line in decision.unfilled}
    never = {int(line_id) for line_id in decision.cannot_be_sourced}
    _check(wanted.lines, [line.quantity - lacking.get(i, 0) for i, line in enumerate(wanted.lines)], never)
    units = tuple(
        SoftUnits(shipment.node_id, line.sku, line.quantity)
        for shipment in decision.shipments
        for line in shipment.lines
    )
    promise = decision.promise
    return Given(units, promise.model_dump(mode="json") if promise else None)


async def _decided(
    connection: AsyncConnection,
    reference: ReferenceCache,
    wanted: SoftReservationRequest,
    soft_id: str,
    at: datetime,
    own: str | None,
) -> SourcingDecision:
    demand = Demand(
        order_id=soft_id,
        channel=wanted.channel,
        country=wanted.country,
        place=None,
        shipping_method=wanted.shipping_method,
        lines=tuple(
            DemandLine(line_id=str(index), sku=line.sku, quantity=line.quantity, unit_price=line.unit_price or 0)
            for index, line in enumerate(wanted.lines)
        ),
        as_of=at,
        pickup_node=wanted.pickup_node,
        currency=wanted.currency,
        tags=wanted.tags,
        customer_class=wanted.customer_class,
        region=wanted.region,
    )
    terms = SnapshotTerms(
        postal_code=wanted.postal_code,
        own=own,
        promised=True,
        at_list_price=frozenset(str(index) for index, line in enumerate(wanted.lines) if line.unit_price is None),
    )
    planned = await plan_units(connection, reference, demand, terms)
    return planned.decision


async def _named(
    connection: AsyncConnection, cache: ReferenceCache, wanted: SoftReservationRequest, at: datetime, own: str | None
) -> Given:
    world, reference, _ = await snapshot.snapshot(
        connection,
        cache,
        channel=wanted.channel,
        skus=[line.sku for line in wanted.lines],
        country=wanted.country,
        postal_code=wanted.postal_code,
        first_day=at.date(),
        last_day=at.date(),
        taken_at=at,
        own=own,
        promised=True,
    )
    active = {node.id: node.active for node in reference.nodes}
    left = {balance: units for balance, units in world.available.items() if active[balance[0]]}
    available = []
    for index, line in enumerate(wanted.lines):
        node_id = line.node_id or ""
        if node_id not in active:
            raise UnknownNode(f"there is no node {node_id}", field=f"lines[{index}].node_id")
        available.append(min(line.quantity, left.get((node_id, line.sku), 0)))
        left[node_id, line.sku] = left.get((node_id, line.sku), 0) - available[-1]
    _check(wanted.lines, available)
    return Given(tuple(SoftUnits(line.node_id or "", line.sku, line.quantity) for line in wanted.lines))


def _check(lines: Sequence[SoftReservationLine], available: Sequence[int], never: Container[int] = ()) -> None:
    short = [index for index, line in enumerate(lines) if available[index] < line.quantity]
    if short:
        first = lines[short[0]]
        why = "no node may give it, whatever it holds" if short[0] in never else f"{available[short[0]]} can"
        raise StockConflict(
            f"{first.quantity} of {first.sku} cannot be held: {why}",
            field=f"lines[{short[0]}].quantity",
            data={
                "lines": [
                    {
                        "index": index,
                        "sku": line.sku,
                        "quantity": line.quantity,
                        "available": units,
                        **({"cannot_be_sourced": True} if index in never else {}),
                    }
                    for index, (line, units) in enumerate(zip(lines, available, strict=True))
                ]
            },
        )
