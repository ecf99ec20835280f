"""The plan that would be made for a basket, by shipping method. Asking reserves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.atp import dates_of
from dom.errors import InvalidInput
from dom.network import ShippingMethod
from dom.ofl.earliest import Reach, able_later, reach
from dom.ofl.models import SourcingDecision
from dom.policy.document import Policy
from store import availability, sourcing
from store.availability import Asked
from store.planning import Planned, Wanted, plan_under
from store.reference import ReferenceCache
from store.stock import soft


@dataclass(frozen=True, slots=True)
class Promised:
    """The plan for one method, and when the units it leaves out could come, by line."""

    method: ShippingMethod
    decision: SourcingDecision
    available_on: Mapping[str, date | None]


async def promise(
    connection: AsyncConnection, cache: ReferenceCache, wanted: Wanted, methods: Sequence[ShippingMethod]
) -> list[Promised]:
    """Plan what is wanted once for each method, as the order's own sourcing would; changes nothing.

    Raises UnknownSku and UnknownNode as planning does, and InvalidInput for a reservation the channel does not have.
    """
    if wanted.own is not None:
        held = await soft.get(connection, wanted.own)
        if held is None or held["channel"] != wanted.channel:
            raise InvalidInput(f"{wanted.channel} has no reservation {wanted.own}", field="reservation_id")
    promised = []
    for method in methods:
        planned, policy = await plan_under(connection, cache, replace(wanted, shipping_method=method))
        promised.append(Promised(method, planned.decision, await _later(connection, cache, planned, policy)))
    return promised


async def _later(
    connection: AsyncConnection, cache: ReferenceCache, planned: Planned, policy: Policy
) -> dict[str, date | None]:
    decision = planned.decision
    if not decision.unfilled:
        return {}
    asked = Asked(
        skus=sorted({line.sku for line in decision.unfilled}),
        at=planned.demand.as_of,
        channel=planned.demand.channel,
        nodes=able_later(planned.demand, planned.snapshot, policy, decision),
    )
    answer = await availability.look(connection, cache, asked)
    return dates_of(decision.unfilled, {found.sku.id: found.outlook for found in answer.found}, asked.today)


async def reach_of(
    connection: AsyncConnection, cache: ReferenceCache, *, country: str, postal_code: str, at: datetime
) -> Reach:
    """How the nodes could send a parcel to a place, if it were ordered at that moment."""
    world, reference, place = await sourcing.snapshot(
        connection,
        cache,
        channel="",
        skus=(),
        country=country,
        postal_code=postal_code,
        first_day=(at - timedelta(days=1)).date(),
        last_day=(at + timedelta(days=sourcing.HORIZON_DAYS)).date(),
        taken_at=at,
        promised=True,
    )
    return reach(world, reference.policy, country=country, place=place, as_of=at)
