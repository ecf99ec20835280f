"""The plan that would be made for a basket, by shipping method. Asking reserves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import ShippingMethod
from dom.shared.errors import InvalidInput, UnknownNode
from dom.sourcing.models import Demand, SourcingDecision
from dom.sourcing.planning.earliest import Reach, able_later, asked_for, reach_of
from dom.sourcing.policy.document import Policy
from dom.sourcing.servable import Servable
from dom.stock.atp import dates_of
from services.planning import SnapshotTerms, plan_under
from store.availability import availability
from store.availability.availability import AvailabilityRequest
from store.network.reference import ReferenceCache
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


async def ways_to(connection: AsyncConnection, cache: ReferenceCache, to: Target) -> tuple[Reach, Servable]:
    """How the nodes could send a parcel there or hand it out, and which of them may ever give what.

    Raises UnknownNode for a node that is none.
    """
    world, reference, place = await snapshot.snapshot(
        connection,
        cache,
        channel=to.channel or "",
        skus=(),
        country=to.country,
        postal_code=to.postal_code,
        first_day=(to.at - timedelta(days=1)).date(),
        last_day=(to.at + timedelta(days=snapshot.HORIZON_DAYS)).date(),
        taken_at=to.at,
        promised=True,
    )
    if to.pickup_node is not None and all(node.id != to.pickup_node for node in reference.nodes):
        raise UnknownNode(f"there is no node {to.pickup_node}", field="pickup_node")
    policy = reference.policy
    demands = asked_for(
        policy,
        country=to.country,
        place=place,
        as_of=to.at,
        channel=to.channel or "",
        region=to.region,
        pickup_node=to.pickup_node,
    )
    return reach_of(world, policy, demands), Servable(world, policy, demands, any_channel=to.channel is None)
