"""Work that a node did not accept in time is rejected in its name, or put before a person, as the policy says."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.delivery.promise import open_for
from dom.orders.commands import TakeNodeStep
from dom.orders.status import TIMEOUT, FulfilmentStep
from dom.shared.errors import StepNotPossible
from dom.sourcing.policy.document import Acceptance, by_kind
from services.change_orders import Writing, change_order
from store.fulfilment import unanswered
from store.fulfilment.unanswered import Unanswered

_REASON: Final = "not accepted within {minutes} minutes"


async def look(engine: AsyncEngine, acceptance: Acceptance, now: datetime, writing: Writing) -> int:
    """Deal with all work whose time is over; answers how much was taken from its node."""
    taken = 0
    if acceptance.within_minutes:
        soonest = now - timedelta(minutes=min(acceptance.within_minutes.values()))
        after = ""
        while found := await _page(engine, soonest, after):
            after = found[-1].fulfilment_id
            for work in found:
                taken += await _deal_with(engine, acceptance, work, now, writing)
    async with engine.begin() as connection:
        await unanswered.close_exceptions(connection)
    return taken


async def _page(engine: AsyncEngine, before: datetime, after: str) -> list[Unanswered]:
    async with engine.connect() as connection:
        return await unanswered.released_before(connection, before, after)


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
    command = TakeNodeStep(
        fulfilment_id=work.fulfilment_id,
        step=FulfilmentStep.REJECT,
        actor=TIMEOUT,
        at=now,
        reason=reason,
        if_unbegun=True,
    )
    try:
        async with engine.begin() as connection:
            await change_order(connection, work.order_id, command, writing)
    except StepNotPossible:  # the node was faster
        return False
    return True
