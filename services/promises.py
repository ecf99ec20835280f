"""The plan that would be made for a basket, by shipping method. Asking reserves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import ShippingMethod, Sku
from dom.orders.order import Promise
from dom.shared.errors import InvalidInput, UnknownNode
from dom.sourcing.models import Demand, DemandLine, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.earliest import able_later, asked_for
from dom.sourcing.policy.document import Policy
from dom.sourcing.servable import Servable
from dom.stock.atp import dates_of
from services.planning import SnapshotTerms, plan_under
from store.availability import availability
from store.availability.availability import AvailabilityRequest
from store.network.reference import Reference, ReferenceCache
from store.sourcing import snapshot
from store.sourcing.decisions import Planned
from store.stock import soft


@dataclass(frozen=True, slots=True)
class Promised:
    """The plan for one method, and when the units it leaves out could come, by line."""

    method: ShippingMethod
    decision: SourcingDecision
    available_on: Mapping[str, date | None]


async def promise(
    connection: AsyncConnection,
    cache: ReferenceCache,
    demand: Demand,
    terms: SnapshotTerms,
    methods: Sequence[ShippingMethod],
) -> list[Promised]:
    """Plan what is wanted once for each method, as the order's own sourcing would; changes nothing.

    Raises UnknownSku and UnknownNode as planning does, and InvalidInput for a reservation the channel does not have.
    """
    if terms.own is not None:
        held = await soft.get(connection, terms.own)
        if held is None or held["channel"] != demand.channel:
            raise InvalidInput(f"{demand.channel} has no reservation {terms.own}", field="reservation_id")
    promised = []
    for method in methods:
        by_method = demand.model_copy(update={"shipping_method": method})
        planned, policy = await plan_under(connection, cache, by_method, terms)
        promised.append(Promised(method, planned.decision, await _later(connection, cache, planned, policy)))
    return promised


async def _later(
    connection: AsyncConnection, cache: ReferenceCache, planned: Planned, policy: Policy
) -> dict[str, date | None]:
    decision = planned.decision
    if not decision.unfilled:
        return {}
    asked = AvailabilityRequest(
        skus=sorted({line.sku for line in decision.unfilled}),
        at=planned.demand.as_of,
        channel=planned.demand.channel,
        nodes=able_later(planned.demand, planned.snapshot, policy, decision),
    )
    answer = await availability.look(connection, cache, asked)
    return dates_of(decision.unfilled, {found.sku.id: found.outlook for found in answer.found}, asked.today)


@dataclass(frozen=True, slots=True)
class Target:
    """Where goods would go: a place, or a node where they are collected; ordered at that moment in the channel."""

    country: str
    at: datetime
    postal_code: str = ""
    region: str = ""
    channel: str | None = None
    pickup_node: str | None = None


@dataclass(frozen=True, slots=True)
class WaysTo:
    """The world as it would be planned on for a place, and which of its nodes may ever give what there."""

    world: Snapshot
    reference: Reference
    demands: tuple[Demand, ...]
    servable: Servable

    def earliest(self, sku: Sku) -> dict[ShippingMethod, Promise]:
        """What an order of one unit would be promised now, by method: of the plan that would be made for it. None for
        a method by which no node would send it.
        """
        found = {}
        for demand in self.demands:
            price = sku.list_price if sku.currency == demand.currency else 0
            line = DemandLine(line_id="1", sku=sku.id, quantity=1, unit_price=price)
            asked = demand.model_copy(update={"lines": (line,)})
            decision = plan(asked, self.world, self.reference.policy, self.reference.policy_version)
            if decision.promise is not None:
                found[demand.shipping_method] = decision.promise
        return found


async def ways_to(
    connection: AsyncConnection,
    cache: ReferenceCache,
    to: Target,
    skus: Sequence[str],
    nodes: frozenset[str] | None = None,
) -> WaysTo:
    """How units of the SKUs would be sent there or handed out, from these nodes if any are named.

    Raises UnknownSku for what is not in the catalogue, UnknownNode for a node that is none.
    """
    world, reference, place = await snapshot.snapshot(
        connection,
        cache,
        channel=to.channel or "",
        skus=skus,
        country=to.country,
        postal_code=to.postal_code,
        first_day=(to.at - timedelta(days=1)).date(),
        last_day=(to.at + timedelta(days=snapshot.HORIZON_DAYS)).date(),
        taken_at=to.at,
        promised=True,
    )
    if to.pickup_node is not None and all(node.id != to.pickup_node for node in reference.nodes):
        raise UnknownNode(f"there is no node {to.pickup_node}", field="pickup_node")
    if nodes is not None:
        there = {balance: units for balance, units in world.available.items() if balance[0] in nodes}
        world = world.model_copy(update={"available": there})
    demands = asked_for(
        reference.policy,
        country=to.country,
        place=place,
        as_of=to.at,
        channel=to.channel or "",
        region=to.region,
        pickup_node=to.pickup_node,
    )
    servable = Servable(world, reference.policy, demands, any_channel=to.channel is None)
    return WaysTo(world, reference, demands, servable)
