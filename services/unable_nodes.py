"""Work that no node has begun is taken from a node that cannot do it any more; begun work is put before a person."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import TakeNodeStep
from dom.orders.status import FulfilmentStep
from dom.shared.errors import StepNotPossible
from services.change_orders import Writing, change_order
from store.fulfilment import unable_nodes
from store.fulfilment.unable_nodes import ACTOR, Unable


async def take_away(engine: AsyncEngine, work: Unable, at: datetime, writing: Writing, actor: str = ACTOR) -> bool:
    """Have the work rejected in the node's name, so that its units are sourced anew; in one transaction. `actor` says
    whether that is a failure of the node: unless it is another, it is none.

    False if the node has begun, or the work ended meanwhile: then nothing is written.
    """
    command = TakeNodeStep(
        fulfilment_id=work.fulfilment_id,
        step=FulfilmentStep.REJECT,
        actor=actor,
        at=at,
        reason=work.why,
        if_unbegun=True,
    )
    try:
        async with engine.begin() as connection:
            await change_order(connection, work.order_id, command, writing)
    except StepNotPossible:
        return False
    return True


async def put_before_a_person(engine: AsyncEngine, now: datetime) -> None:
    """Of begun work at nodes that cannot do it a person hears, until it left the node or the node can do it again."""
    async with engine.begin() as connection:
        at = await unable_nodes.moment(connection, now)
        await unable_nodes.open_exceptions(connection, at)
        await unable_nodes.close_exceptions(connection, at)
