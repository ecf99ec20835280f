"""Work that a node did not accept in time is rejected in its name, or put before a person, as the policy says."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.delivery.promise import open_for
from dom.orders.status import TIMEOUT
from dom.sourcing.policy.answers import Acceptance
from dom.sourcing.policy.kinds import ANY, by_kind
from services import unable_nodes
from services.change_orders import Writing
from store.fulfilment import unanswered
from store.fulfilment.unable_nodes import Unable
from store.fulfilment.unanswered import Unanswered

_REASON: Final = "not accepted within {minutes} minutes"


async def look(engine: AsyncEngine, acceptance: Acceptance, now: datetime, writing: Writing) -> int:
    """Deal with all work whose time is over; answers how much was taken from its node."""
    taken = 0
    if acceptance.within_minutes:
        soonest = now - timedelta(minutes=min(acceptance.within_minutes.values()))
        kinds = None if ANY in acceptance.within_minutes else sorted(map(str, acceptance.within_minutes))
        after = ""
        while found := await _page(engine, soonest, kinds, after):
            after = found[-1].fulfilment_id
            for work in found:
                taken += await _deal_with(engine, acceptance, work, now, writing)
    async with engine.begin() as connection:
        await unanswered.close_exceptions(connection)
    return taken


async def _page(engine: AsyncEngine, before: datetime, kinds: list[str] | None, after: str) -> list[Unanswered]:
    async with engine.connect() as connection:
        return await unanswered.released_before(connection, before, kinds, after)


async def _deal_with(
    engine: AsyncEngine, acceptance: Acceptance, work: Unanswered, now: datetime, writing: Writing
) -> bool:
    minutes = by_kind(acceptance.within_minutes, work.node.kind)
    if minutes is None:
        return False
    over = open_for(work.node, work.released_at, minutes)
    if over is None or over > now:
        return False
    reason = _REASON.format(minutes=minutes)
    if work.taken_away >= acceptance.at_most:
        async with engine.begin() as connection:
            await unanswered.open_exception(connection, work, reason)
        return False
    late = Unable(work.fulfilment_id, work.order_id, work.node.id, reason)
    return await unable_nodes.take_away(engine, late, now, writing, TIMEOUT)
