"""Plan units on a fresh snapshot: the one function behind the promise, the soft reservation and the order.

What was promised is what is reserved, because nobody else reads the world for the planner or calls it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import ShippingMethod, Sku
from dom.shared.errors import UnknownNode
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from store.network.reference import ReferenceCache
from store.sourcing import snapshot
from store.sourcing.decisions import Planned

HARD: Final = 300
"""Lines times nodes from which on a basket is planned beside the event loop, so that nobody else waits for it.

Measured on a busy machine of two cores, by `bench.ofl.instances`: 10 nodes x 3 lines take 3 ms, 50 x 3 take 6 ms, both
less than the way through a thread; 50 x 8 take 22 ms, 200 x 5 33 ms, 200 x 10 79 ms at the median and 460 ms at worst.
"""


@dataclass(frozen=True, slots=True)
class WantedLine:
    """Units of a SKU; without a price of its own, the catalogue's counts where it is in the same currency."""

    line_id: str
    sku: str
    quantity: int
    unit_price: int | None = None

    def priced(self, sku: Sku, currency: str) -> DemandLine:
        """The line as the planner reads it."""
        listed = sku.list_price if sku.currency == currency else 0
        price = listed if self.unit_price is None else self.unit_price
        return DemandLine(line_id=self.line_id, sku=self.sku, quantity=self.quantity, unit_price=price)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units somebody wants, from where and by when.

    `as_of` is the moment the promise counts from. `own` is a soft reservation whose live units are free for the asker.
    `promised` counts what may be promised to the channel instead of what OFL may take: it never counts more.
    `ship_complete`: everything is sourced, or everything waits. `not_found` are balances (node, SKU) that hold
    nothing for the asker, whatever the books say: the node did not find his units there.
    """

    order_id: str
    channel: str
    country: str
    postal_code: str
    shipping_method: ShippingMethod
    lines: tuple[WantedLine, ...]
    as_of: datetime
    pickup_node: str | None = None
    requested_by: datetime | None = None
    currency: str = "GBP"
    excluded_nodes: frozenset[str] = frozenset()
    own: str | None = None
    promised: bool = False
    ship_complete: bool = False
    region: str = ""
    tags: tuple[str, ...] = ()
    customer_class: str = ""
    deliver_by: datetime | None = None
    not_found: frozenset[tuple[str, str]] = frozenset()

    @property
    def failed_nodes(self) -> frozenset[str]:
        """Nodes that are not asked: they failed the asker, or found nothing of what he wants."""
        skus = {line.sku for line in self.lines}
        nodes = {node for node, _ in self.not_found}
        return self.excluded_nodes | {node for node in nodes if all((node, sku) in self.not_found for sku in skus)}


async def plan_units(connection: AsyncConnection, cache: ReferenceCache, wanted: Wanted) -> Planned:
    """Plan the units on the stock as it is now; changes nothing.

    Raises UnknownSku (the field names the line's position) and UnknownNode for what the network does not hold.
    """
    planned, _ = await plan_under(connection, cache, wanted)
    return planned


async def plan_under(connection: AsyncConnection, cache: ReferenceCache, wanted: Wanted) -> tuple[Planned, Policy]:
    """As `plan_units`, with the policy that was live."""
    world, reference, place = await snapshot.snapshot(
        connection,
        cache,
        channel=wanted.channel,
        skus=[line.sku for line in wanted.lines],
        country=wanted.country,
        postal_code=wanted.postal_code,
        first_day=(wanted.as_of - timedelta(days=1)).date(),
        last_day=(wanted.as_of + timedelta(days=snapshot.HORIZON_DAYS)).date(),
        taken_at=wanted.as_of,
        own=wanted.own,
        promised=wanted.promised,
    )
    if wanted.not_found:
        there = {balance: units for balance, units in world.available.items() if balance not in wanted.not_found}
        world = world.model_copy(update={"available": there})
    if wanted.pickup_node and all(node.id != wanted.pickup_node for node in reference.nodes):
        raise UnknownNode(f"there is no node {wanted.pickup_node}", field="pickup_node")
    demand = Demand(
        order_id=wanted.order_id,
        channel=wanted.channel,
        as_of=wanted.as_of,
        country=wanted.country,
        place=place,
        shipping_method=wanted.shipping_method,
        lines=tuple([line.priced(world.skus[line.sku], wanted.currency) for line in wanted.lines]),
        pickup_node=wanted.pickup_node,
        requested_by=wanted.requested_by,
        excluded_nodes=wanted.failed_nodes,
        currency=wanted.currency,
        region=wanted.region,
        tags=wanted.tags,
        customer_class=wanted.customer_class,
        ship_complete=wanted.ship_complete,
        deliver_by=wanted.deliver_by,
    )
    if len(demand.lines) * len(reference.nodes) < HARD:
        decision = plan(demand, world, reference.policy, reference.policy_version)
    else:
        decision = await asyncio.to_thread(plan, demand, world, reference.policy, reference.policy_version)
    looks = reference.policy.second_look
    hold = timedelta(minutes=looks.hold_minutes) if looks.enabled else timedelta()
    return Planned(demand, world, reference.network, decision, hold), reference.policy
